import Model
public import Util

/// What a cluster's CronJobs can do.
public struct CronJobServer: Sendable, Hashable {
    /// Where the server has CronJobs; nil where it has none.
    public let resource: APIResource?
    /// Whether a schedule may be in a time zone.
    public let hasTimeZones: Bool
    /// The zone in which the controller manager reads schedules that name none, where somebody has said so: the API doesn't tell.
    public let controllerZone: TimeZoneRules?

    /// What is known of a cluster.
    public init(resource: APIResource?, hasTimeZones: Bool, controllerZone: TimeZoneRules? = nil) {
        self.resource = resource
        self.hasTimeZones = hasTimeZones
        self.controllerZone = controllerZone
    }

    /// Whether CronJobs are those of the first controller (up to 1.20), which looks every ten seconds and names Jobs by seconds.
    var isFirstGeneration: Bool { resource == .cronJobsBeta }
}

extension K8sClient {
    /// Finds out what a cluster's CronJobs can do.
    ///
    /// Where time zones may have been turned off (1.25 and 1.26), a CronJob that is made as a dry run tells.
    /// - Parameters:
    ///   - capabilities: what the server is and has.
    ///   - namespace: where CronJobs are to be made.
    ///   - controllerZone: the zone of the controller manager, if somebody has said so.
    /// - Throws: ``K8sError``.
    public func cronJobServer(
        _ capabilities: ServerCapabilities,
        namespace: String,
        controllerZone: TimeZoneRules? = nil
    ) async throws(K8sError) -> CronJobServer {
        let hasTimeZones =
            switch capabilities.timeZones {
            case .unknown: false
            case .stable: true
            case .beta: try await keepsTimeZone(namespace)
            }
        return CronJobServer(
            resource: capabilities.cronJobs,
            hasTimeZones: hasTimeZones,
            controllerZone: controllerZone
        )
    }

    private func keepsTimeZone(_ namespace: String) async throws(K8sError) -> Bool {
        var probe = CronJob(name: K8sNames.secret(pod: "the0-check"))
        probe.schedule = "0 0 1 1 *"
        probe.timeZone = "UTC"
        probe.isSuspended = true
        probe.json[["spec", "jobTemplate"]] = [
            "spec": [
                "template": [
                    "spec": ["restartPolicy": "Never", "containers": [["name": "check", "image": "check"]]]
                ]
            ]
        ]
        return try await resources(CronJob.self, in: namespace).create(probe, dryRun: true).timeZone != nil
    }
}
