public import Model
public import Util

/// A Pod.
public struct Pod: K8sObject {
    /// `pods` of `v1`.
    public static let resource = APIResource.pods
    /// The Pod as the API has it.
    public var json: JSONObject

    /// A view over a Pod.
    public init(json: JSONObject) { self.json = json }

    /// Where in its life a Pod is.
    public enum Phase: String, Sendable, Hashable {
        /// Accepted, not all containers have been started.
        case pending = "Pending"
        /// On a node, at least one container runs or is being restarted.
        case running = "Running"
        /// All containers have ended with 0 and won't be restarted.
        case succeeded = "Succeeded"
        /// All containers have ended, one at least with a failure.
        case failed = "Failed"
        /// The node can't be asked.
        case unknown = "Unknown"
    }

    /// What is desired of it.
    public var spec: JSONObject {
        get { json["spec"]?.object ?? JSONObject() }
        set { json["spec"] = .object(newValue) }
    }

    /// Where in its life it is; `pending` before anybody has said so.
    public var phase: Phase {
        guard let text = text(["status", "phase"]), !text.isEmpty else { return .pending }
        return Phase(rawValue: text) ?? .unknown
    }

    /// Why it is in its phase, as `Evicted`; nil where there is nothing to say.
    public var reason: String? { text(["status", "reason"]) }
    /// The same for people.
    public var message: String? { text(["status", "message"]) }
    /// The node it is on; nil before it has one.
    public var node: String? { text(["spec", "nodeName"]) }
    /// When the node's kubelet has accepted it.
    public var started: Timestamp? { time(["status", "startTime"]) }

    /// Its containers' states.
    public var containers: [ContainerStatus] { statuses("containerStatuses") }
    /// Its init containers' states.
    public var initContainers: [ContainerStatus] { statuses("initContainerStatuses") }

    /// Whether it serves: the `Ready` condition.
    public var isReady: Bool { condition("Ready")?.isTrue ?? false }

    /// A condition by its type.
    public func condition(_ type: String) -> Condition? { json.condition(type) }

    private func statuses(_ field: String) -> [ContainerStatus] {
        (json[["status", field]]?.array ?? []).compactMap { $0.object.map(ContainerStatus.init) }
    }
}

/// What the kubelet says of one container of a Pod.
public struct ContainerStatus: Sendable, Hashable {
    /// What a container does.
    public enum State: Sendable, Hashable {
        /// It isn't started yet, as for `CrashLoopBackOff` or `ImagePullBackOff`.
        case waiting(reason: String, message: String)
        /// It runs, since a time.
        case running(since: Timestamp?)
        /// It has ended.
        case terminated(Termination)
    }

    /// How a container has ended.
    public struct Termination: Sendable, Hashable {
        /// The exit code; 128 and more where a signal ended it.
        public let exitCode: Int
        /// As `Completed`, `Error` or `OOMKilled`.
        public let reason: String
        /// What it left to be said, which may be the end of its output.
        public let message: String
        /// When it began.
        public let started: Timestamp?
        /// When it ended.
        public let finished: Timestamp?
        /// The container's id, as `docker://…`; empty where none was made.
        public let id: String
    }

    /// The container's name.
    public let name: String
    /// What it does.
    public let state: State
    /// How its predecessor ended, after a restart.
    public let last: Termination?
    /// How often it was restarted.
    public let restarts: Int
    /// Whether it is ready.
    public let isReady: Bool
    /// The container's id, as `docker://…`; empty before it was made.
    public let id: String

    init(_ json: JSONObject) {
        name = json["name"]?.string ?? ""
        restarts = json["restartCount"]?.wholeNumber.map { Int(clamping: $0) } ?? 0
        isReady = json["ready"]?.flag ?? false
        id = json["containerID"]?.string ?? ""
        last = json[["lastState", "terminated"]]?.object.map(Termination.init)
        if let ended = json[["state", "terminated"]]?.object {
            state = .terminated(Termination(ended))
        } else if let running = json[["state", "running"]]?.object {
            state = .running(since: running["startedAt"]?.string.flatMap { try? RFC3339.parse($0) })
        } else {
            let waiting = json[["state", "waiting"]]?.object
            state = .waiting(
                reason: waiting?["reason"]?.string?.onOneLine ?? "",
                message: waiting?["message"]?.string?.onOneLine ?? ""
            )
        }
    }
}

extension ContainerStatus.Termination {
    init(_ json: JSONObject) {
        exitCode = json["exitCode"]?.wholeNumber.map { Int(clamping: $0) } ?? 0
        reason = json["reason"]?.string?.onOneLine ?? ""
        message = json["message"]?.string?.onOneLine ?? ""
        started = json["startedAt"]?.string.flatMap { try? RFC3339.parse($0) }
        finished = json["finishedAt"]?.string.flatMap { try? RFC3339.parse($0) }
        id = json["containerID"]?.string ?? ""
    }
}

/// One of the things that are true or not of an object.
public struct Condition: Sendable, Hashable {
    /// As `Ready`.
    public let type: String
    /// `True`, `False` or `Unknown`.
    public let status: String
    /// Why, in a word.
    public let reason: String
    /// Why, for people.
    public let message: String
    /// Since when.
    public let changed: Timestamp?

    /// Whether it is known to be true.
    public var isTrue: Bool { status == "True" }
}

extension JSONObject {
    func condition(_ type: String) -> Condition? {
        for value in self[["status", "conditions"]]?.array ?? [] {
            guard let object = value.object, object["type"]?.string == type else { continue }
            return Condition(
                type: type,
                status: object["status"]?.string ?? "Unknown",
                reason: object["reason"]?.string?.onOneLine ?? "",
                message: object["message"]?.string?.onOneLine ?? "",
                changed: object["lastTransitionTime"]?.string.flatMap { try? RFC3339.parse($0) }
            )
        }
        return nil
    }
}
