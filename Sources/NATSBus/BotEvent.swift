public import Control
public import Model

/// What the platform says happened to a bot.
public enum BotEvent: Sendable, Hashable {
    /// There is a new bot: added unless it is there already.
    case created(BotDocument)
    /// A bot has these fields now.
    case updated(BotDocument)
    /// A bot is gone.
    case deleted(BotID)

    /// The bot.
    public var id: BotID {
        switch self {
        case .created(let document), .updated(let document): document.id
        case .deleted(let id): id
        }
    }
}

/// An event that can't be used: what is wrong with it, never what it holds.
public struct BotEventError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bot's id, where it could be read.
    public let id: String?
    /// What is wrong, where, and what was expected.
    public let problem: String

    /// The bot, where it is known, and the problem.
    public var description: String { "\(id.map { "bot \($0.escapedForMessage)" } ?? "a bot unknown"): \(problem)" }

    init(id: String? = nil, _ problem: String) {
        self.id = id
        self.problem = problem
    }
}
