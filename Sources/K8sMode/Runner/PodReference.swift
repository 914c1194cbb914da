import Model
import Runtime

/// What an ``ObservedRun`` of a Pod is called: its name, and the uid that tells it from a later Pod of that name.
struct PodReference: Sendable, Hashable {
    let name: String
    let uid: String

    init(_ pod: Pod) {
        name = pod.name
        uid = pod.uid
    }

    /// As `bot-x/1b4e28ba-2fa1-11d2-883f-0016d3cca427`.
    var text: String { "\(name)/\(uid)" }

    /// Reads ``text``.
    /// - Throws: `RunnerError` with code `gone` for a run that is none of this runner's.
    init(_ run: ObservedRun) throws(RunnerError) {
        let parts = run.reference.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw RunnerError(.gone, "\(run.reference.escapedForMessage) is no Pod's name and uid")
        }
        name = String(parts[0])
        uid = String(parts[1])
    }
}
