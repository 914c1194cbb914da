/// The program of a bot, in one version: what to run and where its code lies.
public struct CustomBotVersion: Sendable, Hashable {
    /// The version's name, as `1.0.11`; empty when the document has none.
    public var version: String
    /// Where its code lies.
    public var code: CodeReference
    /// When this version was last changed, as RFC 3339 text, where the document tells.
    public var updatedAt: String?
    /// The `bot-config.yaml` this version was made from.
    public var config: CustomBotConfig

    /// A version with its code's place.
    public init(version: String, code: CodeReference, updatedAt: String? = nil, config: CustomBotConfig) {
        self.version = version
        self.code = code
        self.updatedAt = updatedAt
        self.config = config
    }
}

/// The part of a custom bot's `bot-config.yaml` that decides how it runs.
public struct CustomBotConfig: Sendable, Hashable {
    /// The custom bot's name.
    public var name: String
    /// A key of the runtime catalogue, as `python3.11`.
    public var runtime: String
    /// `realtime` or `scheduled`; empty when the document has none.
    public var type: String
    /// Paths inside the code archive by role: `bot`, later `query`.
    public var entrypoints: [String: String]

    /// The entrypoint that starts the bot, where there is one.
    public var botEntrypoint: String? { entrypoints["bot"] }

    /// A configuration of these parts.
    public init(name: String, runtime: String, type: String = "realtime", entrypoints: [String: String]) {
        self.name = name
        self.runtime = runtime
        self.type = type
        self.entrypoints = entrypoints
    }
}

/// Where a program's code lies.
public enum CodeReference: Sendable, Hashable {
    /// A zip archive in the object store, under this key (`custom.filePath`).
    case object(key: String)
    /// A folder on this machine. The digest covers its content, so that saving a file is a change.
    case directory(path: String, digest: String)
}
