/// A file that lies beside the bot's code, never in it, and starts the bot.
public struct EntrypointFile: Sendable, Hashable {
    /// The file's name, without a directory.
    public let name: String
    /// The text, the same for every bot of a kind.
    public let contents: String
    /// Whether the execute bit is to be set.
    public let executable: Bool

    /// Makes a file from its parts.
    public init(name: String, contents: String, executable: Bool) {
        self.name = name
        self.contents = contents
        self.executable = executable
    }
}
