import Model
import Runtime
import Util

/// Tells a bot's run from its Pod: a pure function of what the API server has.
struct PodReading: Sendable {
    let ownership: Ownership

    /// How long after its time a Pod that is to be gone counts as stuck.
    static let patience: Duration = .seconds(30)

    /// What of a Pod is kept in memory: all there is to tell, and no environment, which in Pods of version 1.2.0 holds credentials.
    static func reduced(_ pod: Pod) -> Pod {
        var reduced = pod.withoutManagedFields
        var spec: JSONObject = [:]
        spec["nodeName"] = pod.spec["nodeName"]
        spec["volumes"] = .array((pod.spec["volumes"]?.array ?? []).filter { $0.object?["secret"] != nil })
        let containers = (pod.spec["containers"]?.array ?? []).compactMap(\.object).map { container -> JSONValue in
            var kept: JSONObject = [:]
            kept["name"] = container["name"]
            kept["image"] = container["image"]
            return .object(kept)
        }
        spec["containers"] = .array(containers)
        reduced.spec = spec
        return reduced
    }

    /// A Pod of ours as a run; nil for one that isn't.
    /// - Parameters:
    ///   - pod: the Pod.
    ///   - hasSecret: whether there is the Secret that belongs to it.
    ///   - now: the time, for what takes too long.
    func run(_ pod: Pod, hasSecret: Bool, now: Timestamp) -> ObservedRun? {
        let annotations = pod.annotations
        guard ownership.owns(pod, kind: .live), let id = annotations[K8sAnnotation.id], !id.isEmpty else { return nil }
        return ObservedRun(
            reference: PodReference(pod).text,
            id: BotID(id),
            kind: .live,
            origin: .hash(annotations[K8sAnnotation.hash] ?? ""),
            attempt: max(0, annotations[K8sAnnotation.attempt].flatMap { Int($0) } ?? 0),
            createdAt: pod.creationTime,
            phase: Self.phase(pod, hasSecret: hasSecret),
            note: PodNote(pod: pod, hasSecret: hasSecret, now: now).text
        )
    }

    /// What a Pod is doing. Whatever isn't known to have ended counts as running: nothing is started beside what may run, and
    /// what waits or has crashed is the kubelet's to start.
    static func phase(_ pod: Pod, hasSecret: Bool) -> ObservedRun.Phase {
        if pod.deletion != nil { return .leaving }
        switch pod.phase {
        case .failed, .succeeded: return .exited(exit(of: pod))
        case .pending, .running, .unknown: break
        }
        if !hasSecret, pod.waitsForItsStart { return .created }
        if case .running(let since?) = pod.botContainer?.state { return .running(since: since) }
        return .running(since: pod.creationTime)
    }

    private static func exit(of pod: Pod) -> Exit {
        let (termination, failure) = pod.end
        let started = termination?.started ?? pod.started ?? pod.creationTime
        let changes = ["Ready", "ContainersReady", "DisruptionTarget"].compactMap { pod.condition($0)?.changed }
        let finished = termination?.finished ?? changes.max() ?? started
        // Without a container to tell, it was the node that ended it.
        let code = termination?.exitCode ?? (pod.phase == .succeeded ? 0 : 137)
        let reasons = [pod.reason, pod.message].compactMap { $0?.onOneLine }.filter { !$0.isEmpty }
        return Exit(
            code: code,
            outOfMemory: termination?.reason == "OOMKilled",
            startedAt: started,
            finishedAt: max(started, finished),
            platformError: ([failure].compactMap(\.self) + reasons).joined(separator: ": ")
        )
    }
}

extension Pod {
    /// When it was made; the beginning of time where nobody says so.
    var creationTime: Timestamp { created ?? Timestamp(secondsSince1970: 0) }

    /// The bot's container; Pods of other versions have sidecars beside it.
    var botContainer: ContainerStatus? {
        containers.first { $0.name == PodTemplate.Container.bot }
    }

    /// The name of the Secret that belongs to it; nil where none does.
    var secretName: String? {
        for volume in spec["volumes"]?.array ?? [] {
            if let name = volume.object?[["secret", "secretName"]]?.string, !name.isEmpty { return name }
        }
        return nil
    }

    /// Whether nothing of it has been started, or can be again, without its Secret.
    fileprivate var waitsForItsStart: Bool {
        let states = (containers + initContainers).map(\.state)
        guard !states.isEmpty else { return true }
        return states.allSatisfy { state in
            guard case .waiting(let reason, _) = state else { return false }
            return ["", "PodInitializing", "ContainerCreating", "CreateContainerConfigError"].contains(reason)
        }
            || states.contains { state in
                guard case .waiting(let reason, _) = state else { return false }
                return reason == "CreateContainerConfigError"
            }
    }

    /// How what decides about its end has ended, and what there is to say of it.
    fileprivate var end: (ContainerStatus.Termination?, String?) {
        for container in initContainers {
            guard case .terminated(let termination) = container.state, termination.exitCode != 0 else { continue }
            let what = "container \(container.name.onOneLine) before the bot's ended with \(termination.exitCode)"
            return (termination, termination.message.isEmpty ? what : "\(what): \(termination.message)")
        }
        let decisive = botContainer.map { [$0] } ?? containers
        for container in decisive {
            if case .terminated(let termination) = container.state { return (termination, nil) }
        }
        return (decisive.compactMap(\.last).first, nil)
    }
}
