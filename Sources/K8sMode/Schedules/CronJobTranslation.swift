public import Control
public import Model
public import Util

/// What a CronJob has to say for a schedule to be kept as it is meant: its times, in the words that Kubernetes reads, and its
/// policies.
///
/// A schedule that a CronJob would keep differently, however little, isn't translated.
public struct CronJobTranslation: Sendable, Hashable {
    /// `schedule`: five plain fields.
    public let schedule: String
    /// `timeZone`; nil on servers without, where the controller manager's zone is the schedule's.
    public let timeZone: String?
    /// `concurrencyPolicy`.
    public let concurrency: CronJob.Concurrency
    /// `startingDeadlineSeconds`: how late a slot may be begun.
    public let startingDeadlineSeconds: Int
    /// `activeDeadlineSeconds` of each Pod: how long an attempt may take; nil for any time.
    public let podDeadlineSeconds: Int?
    /// `activeDeadlineSeconds` of the Job: when a run is over even if its Pods never got a node; nil for never.
    public let jobDeadlineSeconds: Int?
    /// `backoffLimit`: how many further attempts follow one that failed.
    public let backoffLimit: Int

    /// The least starting deadline: CronJobs of the first generation are looked at every ten seconds only.
    static let leastDeadline = 10
    /// How many slots may lie within the starting deadline: a controller that finds more missed ones than that gives up for ever.
    static let mostMissed = 100
    /// How long a Pod may wait for a node, or a further attempt for its turn.
    static let patience = 600

    /// Translates a schedule.
    /// - Parameters:
    ///   - rule: its expression and policies.
    ///   - server: what the cluster's CronJobs can do.
    ///   - time: from when on the two have to agree.
    /// - Throws: `PlatformLimit` with what a CronJob can't do.
    public init(_ rule: ScheduleRule, server: CronJobServer, from time: Timestamp) throws(PlatformLimit) {
        guard server.resource != nil else { throw PlatformLimit("the cluster has no CronJobs") }
        let policy = rule.policy
        let standard: StandardCron
        do throws(StandardCronError) { standard = try rule.expression.standard(from: time) } catch {
            throw PlatformLimit("config.schedule \(error.description)")
        }
        schedule = standard.fields
        timeZone = try Self.timeZone(standard.zone, server)
        concurrency =
            switch policy.overlap {
            case .forbid: .forbid
            case .allow: .allow
            case .replace: .replace
            }
        guard policy.jitter == .zero else {
            throw PlatformLimit("config.execution.jitter is set, and CronJobs have none")
        }
        startingDeadlineSeconds = try Self.startingDeadline(rule, server)
        guard policy.retries == 0 || policy.backoff == SchedulePolicy.standard.backoff else {
            throw PlatformLimit("config.execution.retry is set, and Jobs have waits of their own between attempts")
        }
        backoffLimit = policy.retries
        podDeadlineSeconds = policy.timeout.map { Int(clamping: $0.roundedUp) }
        jobDeadlineSeconds = podDeadlineSeconds.map { ($0 + Self.patience) * (policy.retries + 1) }
    }

    private static func timeZone(_ zone: TimeZoneRules, _ server: CronJobServer) throws(PlatformLimit) -> String? {
        if server.hasTimeZones { return zone.name }
        if zone == server.controllerZone { return nil }
        throw PlatformLimit(
            "the cluster's CronJobs have no time zones, and its controller manager "
                + (server.controllerZone.map { "is in \($0.name), not in \(zone.name)" }
                    ?? "may be in another one than \(zone.name)")
        )
    }

    private static func startingDeadline(_ rule: ScheduleRule, _ server: CronJobServer) throws(PlatformLimit) -> Int {
        let policy = rule.policy
        let shortest = rule.shortestInterval
        var deadline: Int64
        switch policy.missed {
        case .all: throw PlatformLimit("config.execution.missed is all, and CronJobs only make up for the latest slot")
        case .skip:
            guard !server.isFirstGeneration else {
                throw PlatformLimit(
                    "config.execution.missed is skip, and CronJobs of this cluster are looked at every ten seconds only"
                )
            }
            deadline = Int64(leastDeadline)
        // Where nothing is said, slots differ in how late they may be: none is begun later than the strictest of them.
        case .latest: deadline = max(60, (shortest ?? .zero).components.seconds / 2)
        }
        if let own = policy.deadline?.components.seconds {
            deadline = policy.missed == .skip ? min(deadline, own) : own
        }
        guard deadline >= leastDeadline else {
            throw PlatformLimit("config.execution.deadline is less than 10s, the least that CronJobs keep to")
        }
        if let shortest, deadline > shortest.components.seconds * Int64(mostMissed) {
            throw PlatformLimit(
                "config.execution.deadline is more than \(mostMissed) slots, and CronJobs that miss as many give up"
            )
        }
        return Int(clamping: deadline)
    }
}

extension CronJobTranslation {
    /// All it says, for what has to change when it does.
    public var json: JSONValue {
        var object: JSONObject = [
            "schedule": .string(schedule), "concurrency": .string(concurrency.rawValue),
            "starting_deadline": .integer(Int64(startingDeadlineSeconds)),
            "backoff_limit": .integer(Int64(backoffLimit)),
        ]
        object["time_zone"] = timeZone.map { .string($0) }
        object["pod_deadline"] = podDeadlineSeconds.map { .integer(Int64($0)) }
        object["job_deadline"] = jobDeadlineSeconds.map { .integer(Int64($0)) }
        return .object(object)
    }

    /// A CronJob's `spec`.
    /// - Parameters:
    ///   - labels: of its Jobs and their Pods.
    ///   - annotations: of its Jobs and their Pods.
    ///   - pod: the `spec` of the Pods.
    func spec(labels: [String: String], annotations: [String: String], pod: JSONObject) -> JSONObject {
        var spec: JSONObject = [
            "schedule": .string(schedule), "concurrencyPolicy": .string(concurrency.rawValue), "suspend": false,
            "startingDeadlineSeconds": .integer(Int64(startingDeadlineSeconds)),
            "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
        ]
        spec["timeZone"] = timeZone.map { .string($0) }
        let metadata: JSONValue = [
            "labels": JSONValue(strings: labels), "annotations": JSONValue(strings: annotations),
        ]
        var template = pod
        template["activeDeadlineSeconds"] = podDeadlineSeconds.map { .integer(Int64($0)) }
        var job: JSONObject = [
            "backoffLimit": .integer(Int64(backoffLimit)),
            "template": ["metadata": metadata, "spec": .object(template)],
        ]
        job["activeDeadlineSeconds"] = jobDeadlineSeconds.map { .integer(Int64($0)) }
        spec["jobTemplate"] = ["metadata": metadata, "spec": .object(job)]
        return spec
    }
}

extension Duration {
    fileprivate var roundedUp: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
