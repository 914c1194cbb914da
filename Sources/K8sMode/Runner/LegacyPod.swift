import Model
import Runtime
import Util

/// What can be told of a Pod that version 1.2.0, or one after it, started for a live bot.
///
/// Such Pods are named `bot-` and the id, and never restarted by the kubelet. Read from its source
/// (`internal/k8s/podgen/generator.go`). They have the object store's credentials in their environment, so none of them is what
/// it should be: each is replaced once, the old one gone before the new one starts.
struct LegacyPod: Sendable {
    let prefix: String

    /// Selects them among all Pods.
    var selection: Selection {
        Selection(
            labels: "\(prefix)/\(LegacyLabel.managedBy)=\(ExecutableKind.live.controller),!\(K8sLabel.instance)"
        )
    }

    /// Such a Pod as a run; nil for another.
    func run(_ pod: Pod, now: Timestamp) -> ObservedRun? {
        let labels = pod.labels
        guard labels["\(prefix)/\(LegacyLabel.managedBy)"] == ExecutableKind.live.controller,
            labels[K8sLabel.instance] == nil, let id = labels["\(prefix)/\(LegacyLabel.id)"], !id.isEmpty
        else { return nil }
        let image = (pod.spec["containers"]?.array ?? []).compactMap(\.object)
            .first { $0["name"]?.string == PodTemplate.Container.bot }?["image"]?.string
        let note = PodNote(pod: pod, hasSecret: true, now: now).text
        return ObservedRun(
            reference: PodReference(pod).text,
            id: BotID(id),
            kind: .live,
            // Without parameters it matches no specification.
            origin: .legacy(LegacyLaunch(image: image ?? "", entrypoint: "", config: nil)),
            attempt: 0,
            createdAt: pod.creationTime,
            phase: PodReading.phase(pod, hasSecret: true),
            note: ["made by another version", note].filter { !$0.isEmpty }.joined(separator: "; ")
        )
    }
}
