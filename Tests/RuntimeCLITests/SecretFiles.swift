import TestSupport

/// Files with secrets in them, as an orchestrator mounts them.
enum SecretFiles {
    private static let folder = Result { try TemporaryFolder() }

    static let first = write("first", "first-secret\n")
    static let second = write("second", "second-secret")

    static let invalid: [(value: String, allowed: String)] = [
        ("/nowhere/secret", "No such file"), (write("empty", "\n"), "expected the secret in it"),
        ("/", "can't be read"),
        (write("spaced", "two words\n"), "has a space"),
    ]

    private static func write(_ name: String, _ text: String) -> String {
        (try? folder.get().write(name, text)) ?? "the temporary folder can't be made"
    }
}
