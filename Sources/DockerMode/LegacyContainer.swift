import Model
import Runtime

/// What can be told of a container that version 1.2.0, or one after it, started.
///
/// Both of that version's services give their containers the same labels (`runtime.id`, `runtime.entrypoint`,
/// `runtime.managed=true`, `runtime.segment=-1`), no name, and the same variables. What tells them apart, read from its source
/// (`internal/docker/runner.go`, `buildContainerConfig`): live bots are made to remove themselves, scheduled runs aren't,
/// because their service waits for the result. Versions after it add `BOT_TYPE`, and there live bots stay.
struct LegacyContainer: Sendable {
    let kind: ExecutableKind
    let launch: LegacyLaunch

    /// Reads a container without labels of ours; nil when it can't be told what it is: then nobody touches it.
    init?(_ details: ContainerDetails) {
        let config = details.variable("CONFIG").flatMap { try? JSONValue.parse($0) }
        guard let kind = LegacyContainer.kind(details, config: config) else { return nil }
        self.kind = kind
        launch = LegacyLaunch(
            image: details.image,
            entrypoint: details.labels[Label.entrypoint] ?? "",
            config: config
        )
    }

    private static func kind(_ details: ContainerDetails, config: JSONValue?) -> ExecutableKind? {
        switch details.variable("BOT_TYPE") {
        case "realtime": return .live
        case "scheduled": return .scheduled
        default: break
        }
        if details.removesItself { return .live }
        // A schedule without its cron expression is never due.
        return config?.object?["schedule"]?.string == nil ? nil : .scheduled
    }
}
