public import Model

/// Why to look at something again: a key, never what happened. What to do is decided from what is desired and observed.
public enum Wake: Sendable, Hashable {
    /// Something may have changed for this bot.
    case bot(BotID)
    /// Anything may have changed: events can have been missed.
    case everything
}

/// Something that notices changes: a message bus, a change stream, a folder, an engine's events.
public protocol WakeSource: Sendable {
    /// What the source is called in logs, as `nats`.
    var name: String { get }

    /// Watches until cancelled, reconnecting for ever; returns only then.
    ///
    /// Calls `wake` with ``Wake/everything`` each time it has begun to listen, so that nothing between the last reading and the
    /// first event is missed.
    func watch(_ wake: @escaping @Sendable (Wake) -> Void) async
}
