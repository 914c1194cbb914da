import Model
import Runtime
import Util

/// What there is to know of a Pod beside its phase, in a line for people.
struct PodNote: Sendable {
    let pod: Pod
    let hasSecret: Bool
    let now: Timestamp

    /// Empty where all is as it should be.
    var text: String {
        if let deletion = pod.deletion { return leaving(since: deletion) }
        guard pod.phase != .failed, pod.phase != .succeeded else { return "" }
        var notes: [String] = []
        if !hasSecret { notes.append("its Secret isn't there") }
        notes += [placing, unpacking, bot, node].compactMap(\.self)
        return notes.joined(separator: "; ")
    }

    private func leaving(since deletion: Timestamp) -> String {
        guard now > deletion.advanced(by: PodReading.patience) else { return "" }
        let start = "should have been gone at \(RFC3339.string(deletion))"
        let finalizers = (pod.json[["metadata", "finalizers"]]?.array ?? []).compactMap(\.string)
        if !finalizers.isEmpty { return "\(start); kept by \(finalizers.joined(separator: ", ").onOneLine)" }
        guard let node = pod.node else { return start }
        return
            "\(start); node \(node.onOneLine) doesn't say that it is: the bot may still run there, and isn't removed "
            + "by force while the node exists and isn't tainted node.kubernetes.io/out-of-service"
    }

    private var placing: String? {
        guard let condition = pod.condition("PodScheduled"), condition.status == "False" else { return nil }
        return Self.sentence("waits for a node", condition.reason, condition.message)
    }

    private var unpacking: String? {
        for container in pod.initContainers {
            switch container.state {
            case .waiting(let reason, let message) where !["", "PodInitializing", "ContainerCreating"].contains(reason):
                let last = container.last.map { Self.failure($0) } ?? ""
                return [Self.sentence("unpacking the code waits", reason, message), last]
                    .filter { !$0.isEmpty }.joined(separator: "; ")
            case .terminated(let end) where end.exitCode != 0: return "unpacking the code \(Self.failure(end))"
            case .running: return "its code is being unpacked"
            default: continue
            }
        }
        return nil
    }

    private var bot: String? {
        guard let container = pod.botContainer else { return nil }
        var notes: [String] = []
        switch container.state {
        case .waiting(let reason, let message) where !["", "PodInitializing", "ContainerCreating"].contains(reason):
            notes.append(Self.sentence("waits", reason, message))
        case .terminated(let end): notes.append("ended with \(end.exitCode), is being restarted")
        default: break
        }
        if let last = container.last, container.restarts > 0 {
            let memory = last.reason == "OOMKilled" ? ", out of memory" : ""
            notes.append("restarted \(container.restarts) times, last exit code \(last.exitCode)\(memory)")
        }
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    /// A node that doesn't answer has its Pods marked as not ready although their containers run.
    private var node: String? {
        guard case .running = pod.botContainer?.state, let ready = pod.condition("Ready"), !ready.isTrue,
            pod.botContainer?.isReady == true, let node = pod.node
        else { return nil }
        return "node \(node.onOneLine) doesn't answer"
    }

    private static func failure(_ end: ContainerStatus.Termination) -> String {
        sentence("ended with \(end.exitCode)", "", end.message)
    }

    private static func sentence(_ start: String, _ reason: String, _ message: String) -> String {
        [start, reason, message].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
