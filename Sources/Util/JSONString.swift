extension String {
    /// The text as a JSON string, its quotes included.
    ///
    /// Also free of what could forge a line or confuse a terminal, which JSON alone would allow: C1 control characters,
    /// line separators and bidirectional overrides.
    public var jsonQuoted: String {
        var text = "\""
        for scalar in unicodeScalars { text += scalar.escapedInQuotes }
        return text + "\""
    }
}
