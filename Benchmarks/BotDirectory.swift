import Model
import TestSupport

/// A directory store: one program, and a list of bots that run it.
struct BotDirectory: Sendable {
    let path: String

    /// Writes it. Files are read once they are 150 ms old, so this waits.
    init(
        _ folder: TemporaryFolder,
        name: String,
        program: String,
        bots: [String],
        config: JSONObject = [:]
    ) async throws {
        path = folder.file(name)
        try folder.write("\(name)/program/bot-config.yaml", Self.manifest)
        try folder.write("\(name)/program/main.py", program)
        let list = bots.map { id -> JSONValue in
            ["id": .string(id), "bot": "program", "config": .object(config)]
        }
        // JSON is YAML.
        try folder.write("\(name)/bots.yaml", JSONValue.array(list).text)
        try await Task.sleep(for: .milliseconds(400))
    }

    private static let manifest = """
        name: bench
        runtime: python3.11
        version: 1.0.0
        type: realtime
        entrypoints:
          bot: main.py

        """

    /// Ids of so many bots.
    static func ids(_ count: Int) -> [String] { (1...count).map { "bench-\(padded($0, 5))" } }
}

/// A number with leading zeros.
func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// What bots run.
enum BotProgram {
    /// Runs until it is stopped.
    static let sleeper = """
        import time
        while True:
            time.sleep(3600)

        """

    /// Ends with an error after two to five seconds.
    static let crasher = """
        import random, sys, time
        time.sleep(random.uniform(2, 5))
        sys.exit(1)

        """
}
