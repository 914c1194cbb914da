/// A fixture could not do its part: the test fails for want of its surroundings.
public struct FixtureError: Error, CustomStringConvertible {
    /// What failed, and what to do about it.
    public let description: String

    /// - Parameter description: what failed, and what to do about it.
    public init(_ description: String) {
        self.description = description
    }
}
