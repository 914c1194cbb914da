import Foundation
import Model
import TestSupport

/// A directory store for a test to fill and change.
struct BotFolder: Sendable {
    let folder: TemporaryFolder
    /// The directory's name in the folder.
    let name: String

    /// The directory, for `--store`.
    var path: String { folder.file(name) }

    /// Writes a bot's program.
    /// - Parameter type: `realtime` or `scheduled`.
    func program(_ bot: String, _ text: String = Program.sleeper, type: String = "realtime") throws {
        try folder.write(
            "\(name)/\(bot)/bot-config.yaml",
            "name: \(bot)\nruntime: python3.11\nversion: 1.0.0\ntype: \(type)\nentrypoints:\n  bot: main.py\n"
        )
        try folder.write("\(name)/\(bot)/main.py", text)
    }

    /// Writes a bot's parameters.
    func config(_ bot: String, _ config: JSONObject) throws {
        try folder.write("\(name)/\(bot)/config.json", JSONValue.object(config).text)
    }

    /// Removes a bot's folder.
    func remove(_ bot: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(bot)")
    }
}
