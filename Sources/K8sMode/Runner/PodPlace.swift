import Logging
import Model
import Runtime
import Util

/// Makes the one Pod of a bot, under the name that belongs to it, with what belongs to the Pod.
struct PodPlace: Sendable {
    let view: PodView
    let secrets: Resources<Secret>
    let claims: Resources<VolumeClaim>
    let ownership: Ownership
    let settings: K8sSettings
    let removal: PodRemoval
    let events: PodEvents
    let arrival: Duration
    let logger: Logger

    static let fieldManager = "the0-runtime"
    /// How often a name is tried that was taken and is free again.
    private static let attempts = 3

    /// Makes Pod and Secret; a Pod of the same specification is completed, one that has ended is replaced.
    /// - Throws: `RunnerError` with code `conflict` when something else stands under the name.
    func make(_ template: PodTemplate, link: CodeLink, attempt: Int) async throws(RunnerError) {
        let spec = template.spec
        let claim = try await StateClaims(claims: claims, ownership: ownership, settings: settings).ensure(for: spec)
        let name = K8sNames.pod(spec.id)
        for _ in 0..<Self.attempts {
            let pod = pod(template, name: name, claim: claim, attempt: attempt)
            let made: Pod
            do throws(K8sError) {
                // The answer is waited for although the task may be cancelled: without it nobody knows what was made.
                made = try await shieldedCall { () async throws(K8sError) in
                    try await view.pods.create(pod, fieldManager: Self.fieldManager)
                }
            } catch {
                guard error.code == .alreadyExists else { throw error.runnerError(.refused, "making Pod \(name)") }
                guard try await clear(name, for: template, link) else { return }
                continue
            }
            view.writes.made(made)
            return try await complete(made, template, link)
        }
        throw RunnerError(.conflict, "making Pod \(name): its name is taken again and again")
    }

    /// Asks whether the server would take the Pod, where one runs that would have to go for it.
    func check(_ template: PodTemplate) async throws(RunnerError) {
        let name = K8sNames.pod(template.spec.id)
        guard view.cache.object(view.key(name)) != nil else { return }
        // Under a name of its own: its own is taken.
        let probe = pod(template, name: "\(K8sNames.secret(pod: "the0-check"))", claim: nil, attempt: 0)
        do throws(K8sError) {
            _ = try await view.pods.create(probe, fieldManager: Self.fieldManager, dryRun: true)
        } catch {
            switch error.code {
            case .invalid, .refused: throw error.runnerError(.refused, "making Pod \(name)")
            // A quota counts the Pod that is to go; whoever is away now, will be seen to be at the start.
            default: logger.debug("a Pod can't be checked before its start", metadata: ["error": "\(error)"])
            }
        }
    }

    private func pod(_ template: PodTemplate, name: String, claim: String?, attempt: Int) -> Pod {
        var pod = Pod(name: name)
        pod.labels = template.spec.labels(ownership)
        pod.annotations = template.spec.annotations(attempt: attempt)
        pod.spec = template.podSpec(secret: K8sNames.secret(pod: name), claim: claim)
        return pod
    }

    /// Gives a Pod its Secret, which it waits for. Where that fails the Pod goes: it would wait for ever.
    private func complete(_ pod: Pod, _ template: PodTemplate, _ link: CodeLink) async throws(RunnerError) {
        do throws(RunnerError) {
            try await makeSecret(for: pod, template, link)
        } catch {
            // Cancelled: the next pass finds a Pod without its Secret, and completes it.
            if error.code != .cancelled { await removal.discard(pod, logger) }
            throw error
        }
        events.created(pod)
        // Whoever asks next what runs is to see it.
        await view.wait(forArrivalOf: pod, within: arrival)
    }

    private func makeSecret(for pod: Pod, _ template: PodTemplate, _ link: CodeLink) async throws(RunnerError) {
        guard let name = pod.secretName else {
            throw RunnerError(.conflict, "Pod \(pod.name) names no Secret: somebody has changed it")
        }
        var secret = Secret(name: name)
        secret.labels = ownership.labels(of: template.spec.executable.kind, id: template.spec.id)
        secret.annotations = link.annotations(for: LinkedProgram(template.spec.executable), now: .now)
        secret.owners = [OwnerReference(apiVersion: "v1", kind: "Pod", name: pod.name, uid: pod.uid)]
        secret.type = "Opaque"
        for (entry, value) in template.secretEntries(link: link) { secret[entry] = value }
        do throws(K8sError) {
            let made = secret
            _ = try await shieldedCall { () async throws(K8sError) in
                try await secrets.create(made, fieldManager: Self.fieldManager)
            }
        } catch {
            // The name is random: whoever was quicker has made it for the same Pod.
            guard error.code == .alreadyExists else {
                throw error.withoutValues.runnerError(.refused, "making Secret \(name)")
            }
        }
        view.writes.madeSecret(of: pod.uid)
    }

    /// Looks at what stands under the name: completes what is the same, removes what is left over from before.
    /// - Returns: whether the name is free now; false when the bot has its Pod.
    private func clear(_ name: String, for template: PodTemplate, _ link: CodeLink) async throws(RunnerError) -> Bool {
        let doing = "making Pod \(name)"
        let found: Pod?
        do throws(K8sError) { found = try await view.pods.get(name) } catch {
            throw error.runnerError(.unavailable, doing)
        }
        guard let standing = found else { return true }
        guard let run = view.anyRun(standing, now: .now), run.id == template.spec.id else {
            throw RunnerError(.conflict, "\(doing): the name belongs to a Pod that isn't this bot's")
        }
        let isSame = run.origin == .hash(template.spec.hash)
        switch run.phase {
        case .leaving: throw RunnerError(.conflict, "\(doing): its predecessor is still being removed")
        case .running where isSame: return false
        case .running: throw RunnerError(.conflict, "\(doing): one of another specification runs")
        case .created where isSame:
            try await makeSecret(for: standing, template, link)
            return false
        case .created, .exited:
            try await removal.remove(run)
            return true
        }
    }
}

extension K8sError {
    /// Without what the server said, which may repeat what a Secret holds.
    fileprivate var withoutValues: K8sError {
        guard code == .invalid || code == .refused else { return self }
        return K8sError(
            code,
            "the API server refuses it: status \(status?.code ?? 0) \(status?.reason ?? "")",
            retryAfter: retryAfter
        )
    }
}

/// Sends what changes the cluster; its answer is waited for some seconds although the current task is cancelled.
func shieldedCall<Value: Sendable>(
    _ call: @escaping @Sendable () async throws(K8sError) -> Value
) async throws(K8sError) -> Value {
    let result = await shielded(grace: .seconds(10)) { () async -> Result<Value, K8sError> in
        do throws(K8sError) { return .success(try await call()) } catch { return .failure(error) }
    }
    return try result.get()
}
