import Glibc

/// The locale that archives are read and written in.
public enum UTF8Locale {
    private static let names = ["C.UTF-8", "en_US.UTF-8"]

    // Safety: never changed or freed, and any number of threads may use one locale at the same time.
    nonisolated(unsafe) private static let shared: locale_t? = {
        for name in names {
            // LC_CTYPE_MASK is a macro with a shift, which Swift doesn't import: 1 << LC_CTYPE.
            if let locale = newlocale(1 << LC_CTYPE, name, nil) { return locale }
        }
        return nil
    }()

    /// Loads it, at the start of a program: glibc 2.36 remembers a failure to read a locale's file for ever, also one for want of
    /// descriptors.
    /// - Throws: ``ArchiveError`` with code `unsupported` when the system has none.
    public static func load() throws(ArchiveError) { _ = try loaded() }

    private static func loaded() throws(ArchiveError) -> locale_t {
        if let shared { return shared }
        throw ArchiveError(.unsupported, "the system has no UTF-8 locale; one of \(names) is needed")
    }

    /// Runs `body` with it on this thread alone.
    ///
    /// libarchive 3.6 converts names through the current locale: in the C locale it loses non-ASCII names on reading and crashes
    /// on writing them as pax. `setlocale` would change every thread of the process.
    static func use<Result: ~Copyable>(
        _ body: () throws(ArchiveError) -> Result
    ) throws(ArchiveError) -> Result {
        let previous = uselocale(try loaded())
        defer { uselocale(previous) }
        return try body()
    }
}
