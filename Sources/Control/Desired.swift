public import Model
public import Runtime

/// What should be for one bot.
public enum Desired: Sendable, Hashable {
    /// It should run from this specification.
    case running(LaunchSpec, RestartPolicy)
    /// It is switched off.
    case disabled
    /// There is no such bot.
    case absent
    /// What is wanted can't be known: what runs is left as it is.
    case unknown(DocumentError)

    /// Works out what a stored bot, or none, asks for.
    public init(_ stored: StoredBot?, builder: LaunchSpecBuilder, restart: RestartPolicy) {
        switch stored {
        case nil:
            self = .absent
        case .broken(_, let error):
            self = .unknown(error)
        case .off:
            self = .disabled
        case .bot(let bot) where !bot.isEnabled:
            self = .disabled
        case .bot(let bot):
            do throws(DocumentError) {
                let policy = try RestartPolicy(config: bot.config, id: bot.id, defaults: restart)
                self = .running(try builder.spec(for: Executable(bot)), policy)
            } catch {
                self = .unknown(error)
            }
        }
    }
}
