import Logging
import Model
import Runtime
import Util

/// The volumes in which bots keep their state, one claim for each bot.
struct StateClaims: Sendable {
    let claims: Resources<VolumeClaim>
    let ownership: Ownership
    let settings: K8sSettings

    /// Makes sure of a bot's claim; one that is there stays as it is.
    /// - Returns: its name; nil where state lies in the Pod.
    /// - Throws: `RunnerError` with code `conflict` for a claim that is somebody else's, or is going.
    func ensure(for spec: LaunchSpec) async throws(RunnerError) -> String? {
        guard case .volume(let storageClass, let size) = settings.state else { return nil }
        let kind = spec.executable.kind
        let name = K8sNames.claim(kind: kind, id: spec.id)
        let doing = "making the volume claim \(name)"
        var claim = VolumeClaim(name: name)
        claim.labels = ownership.labels(of: kind, id: spec.id)
        claim.annotations = [K8sAnnotation.id: spec.id.text]
        claim.request(storageClass: storageClass, size: size)
        let found: VolumeClaim?
        do throws(K8sError) {
            do throws(K8sError) {
                _ = try await claims.create(claim, fieldManager: PodPlace.fieldManager)
                return name
            } catch {
                guard error.code == .alreadyExists else { throw error }
                found = try await claims.get(name)
            }
        } catch {
            throw error.runnerError(.refused, doing)
        }
        guard let standing = found else {
            throw RunnerError(.conflict, "\(doing): its predecessor was removed just now")
        }
        try check(standing, spec, doing)
        return name
    }

    private func check(_ claim: VolumeClaim, _ spec: LaunchSpec, _ doing: String) throws(RunnerError) {
        guard ownership.owns(claim, kind: spec.executable.kind), claim.annotations[K8sAnnotation.id] == spec.id.text
        else { throw RunnerError(.conflict, "\(doing): the name belongs to a claim that isn't this bot's") }
        guard claim.deletion == nil else {
            throw RunnerError(.conflict, "\(doing): its predecessor is still being removed")
        }
    }

    /// Removes the claims of bots that don't exist any more. A claim that a Pod uses goes with that.
    func removeLeftovers(known: Set<BotID>, logger: Logger) async throws(RunnerError) {
        let doing = "removing leftover volume claims"
        for kind in settings.keptKinds.sorted(by: { $0.rawValue < $1.rawValue }) {
            do throws(K8sError) {
                let list = try await claims.metadataOnly.list(ownership.selection(of: kind))
                for claim in list.items where ownership.owns(claim, kind: kind) && claim.deletion == nil {
                    guard let id = claim.annotations[K8sAnnotation.id], !known.contains(BotID(id)) else { continue }
                    // It may have been made anew meanwhile.
                    try await claims.delete(claim.name, uid: claim.uid)
                    logger.info(
                        "removed the state of a bot that is gone",
                        metadata: ["bot": "\(id.escapedForMessage)", "claim": "\(claim.name)"]
                    )
                }
            } catch {
                throw error.runnerError(.unavailable, doing)
            }
        }
    }
}
