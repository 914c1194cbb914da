/// A live bot as the database describes it.
public struct Bot: Sendable, Hashable {
    /// Its id.
    public var id: BotID
    /// Whether it should run, after the rule of ``enabled(top:config:)``.
    public var isEnabled: Bool
    /// Its own parameters, handed to it whole.
    public var config: JSONObject
    /// Its program.
    public var custom: CustomBotVersion

    /// A bot of these parts.
    public init(id: BotID, isEnabled: Bool = true, config: JSONObject, custom: CustomBotVersion) {
        self.id = id
        self.isEnabled = isEnabled
        self.config = config
        self.custom = custom
    }

    /// Whether a document is switched on: the top-level `enabled` decides when present, else `config.enabled`, else it is.
    ///
    /// In `config.enabled` a number is off when it is 0, a string when it is `false` or `0`; anything else is on.
    public static func enabled(top: Bool?, config: JSONValue?) -> Bool {
        if let top { return top }
        return switch config {
        case .bool(let value): value
        case .integer(let value): value != 0
        case .double(let value): value != 0
        case .string(let text): text != "false" && text != "0"
        default: true
        }
    }
}
