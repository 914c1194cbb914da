public import Model
public import Runtime

extension DockerRunner: RunWatching {
    /// Watches the engine's events until cancelled, reconnecting for ever.
    public func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async {
        await EventWatch(engine: engine, kind: kind, instance: names.instance, logger: logger, wake: wake).run()
    }
}
