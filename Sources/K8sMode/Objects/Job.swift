public import Model
public import Util

/// A Job: Pods that run to an end.
public struct Job: K8sObject {
    /// `jobs` of `batch/v1`.
    public static let resource = APIResource.jobs
    /// The Job as the API has it.
    public var json: JSONObject

    /// A view over a Job.
    public init(json: JSONObject) { self.json = json }

    /// What is desired of it.
    public var spec: JSONObject {
        get { json["spec"]?.object ?? JSONObject() }
        set { json["spec"] = .object(newValue) }
    }

    /// How many of its Pods are pending or run.
    public var active: Int { number(["status", "active"]) }
    /// How many of its Pods have succeeded.
    public var succeeded: Int { number(["status", "succeeded"]) }
    /// How many of its Pods have failed.
    public var failed: Int { number(["status", "failed"]) }
    /// When it was begun.
    public var started: Timestamp? { time(["status", "startTime"]) }
    /// When it was completed; nil for one that failed.
    public var completed: Timestamp? { time(["status", "completionTime"]) }

    /// Whether it is done, successfully.
    public var isComplete: Bool { json.condition("Complete")?.isTrue ?? false }
    /// Why it has failed for good, as `DeadlineExceeded`; nil unless it has.
    public var failure: Condition? { json.condition("Failed").flatMap { $0.isTrue ? $0 : nil } }
    /// Whether nothing of it will run any more.
    public var isFinished: Bool { isComplete || failure != nil }
}

/// A CronJob: Jobs at times.
public struct CronJob: K8sObject {
    /// `cronjobs` of `batch/v1`; servers before 1.21 have them as ``APIResource/cronJobsBeta``.
    public static let resource = APIResource.cronJobs
    /// The CronJob as the API has it.
    public var json: JSONObject

    /// A view over a CronJob.
    public init(json: JSONObject) { self.json = json }

    /// What happens when the last run hasn't ended.
    public enum Concurrency: String, Sendable, Hashable {
        /// Both run.
        case allow = "Allow"
        /// The new one is passed over.
        case forbid = "Forbid"
        /// The old one is ended.
        case replace = "Replace"
    }

    /// What is desired of it.
    public var spec: JSONObject {
        get { json["spec"]?.object ?? JSONObject() }
        set { json["spec"] = .object(newValue) }
    }

    /// The expression, in the form that Kubernetes has.
    public var schedule: String {
        get { text(["spec", "schedule"]) ?? "" }
        set { json[["spec", "schedule"]] = .string(newValue) }
    }

    /// The zone the expression is read in; nil: that of the controller manager. Dropped in silence by servers without it.
    public var timeZone: String? {
        get { text(["spec", "timeZone"]) }
        set { json[["spec", "timeZone"]] = newValue.map { .string($0) } }
    }

    /// What happens when the last run hasn't ended.
    public var concurrency: Concurrency {
        get { text(["spec", "concurrencyPolicy"]).flatMap(Concurrency.init) ?? .allow }
        set { json[["spec", "concurrencyPolicy"]] = .string(newValue.rawValue) }
    }

    /// Whether nothing is started.
    public var isSuspended: Bool {
        get { json[["spec", "suspend"]]?.flag ?? false }
        set { json[["spec", "suspend"]] = .bool(newValue) }
    }

    /// How many seconds after its time a run may still be started; nil: without a limit.
    public var startingDeadlineSeconds: Int? {
        get { json[["spec", "startingDeadlineSeconds"]]?.wholeNumber.map { Int(clamping: $0) } }
        set { json[["spec", "startingDeadlineSeconds"]] = newValue.map { .integer(Int64($0)) } }
    }

    /// When it last started a run.
    public var lastScheduled: Timestamp? { time(["status", "lastScheduleTime"]) }
    /// The names of its Jobs that haven't ended.
    public var active: [String] {
        (json[["status", "active"]]?.array ?? []).compactMap { $0.object?["name"]?.string }
    }
}
