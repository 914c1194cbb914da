import Foundation

/// Where `scripts/` and what they have installed lie.
public enum ServicePrograms {
    /// The checkout's root.
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The path of a program of the tests' services.
    ///
    /// They lie in the folder that the variable `THE0_SERVICES` names, else where `scripts/setup --tests` puts them.
    /// - Throws: `FixtureError` when it is not there: a test never passes for want of its service.
    public static func path(_ name: String) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "/root")/.cache"
        let folder = environment["THE0_SERVICES"] ?? "\(cache)/the0-runtime/services/bin"
        let path = "\(folder)/\(name)"
        guard access(path, X_OK) == 0 else {
            throw FixtureError("there is no \(path): run scripts/setup --tests, or set THE0_SERVICES to its folder")
        }
        return path
    }

    /// The path of one of this repository's scripts.
    public static func script(_ name: String) -> String {
        "\(root)/scripts/\(name)"
    }
}
