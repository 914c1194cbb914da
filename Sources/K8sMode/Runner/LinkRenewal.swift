import Logging
import Model
import Runtime
import Synchronization
import Util

/// Renews the code links in Secrets well before they expire: a Pod's init container runs again whenever its node was restarted,
/// and a Job's long after its Secret was made.
final class LinkRenewal: Sendable {
    private let secrets: Resources<Secret>
    private let known: WatchCache<Secret>
    private let links: any CodeLinking
    private let interval: Duration
    private let logger: Logger
    private let state = Mutex<[String: Outcome]>([:])

    /// What came of renewing a Secret's link, by its uid, until the cache shows it.
    private struct Outcome {
        var failures = 0
        /// When it is looked at again.
        var due: Timestamp
    }

    /// The owner of the entry with the link, once it was renewed.
    static let fieldManager = "the0-link"
    private static let parallel = 8

    /// - Parameters:
    ///   - secrets: where the Secrets are.
    ///   - known: the Secrets there are, at least their metadata; every one that has a link says so in its annotations.
    ///   - links: makes the new links.
    ///   - interval: how often it is looked.
    ///   - logger: told of links that can't be renewed; never of a link.
    init(
        secrets: Resources<Secret>,
        known: WatchCache<Secret>,
        links: any CodeLinking,
        interval: Duration,
        logger: Logger
    ) {
        self.secrets = secrets
        self.known = known
        self.links = links
        self.interval = interval
        self.logger = logger
    }

    /// Renews what is due, from time to time, until cancelled.
    func run() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { return }
            await renewDue(now: .now)
        }
    }

    /// Renews what is due.
    func renewDue(now: Timestamp) async {
        let all = known.objects
        let uids = Set(all.map(\.uid))
        state.withLock { state in state = state.filter { uids.contains($0.key) } }
        let due = all.filter { isDue($0, now) }
        await withTaskGroup(of: Void.self) { group in
            for (index, secret) in due.enumerated() {
                if index >= Self.parallel { _ = await group.next() }
                group.addTask { await self.renew(secret, now: now) }
            }
        }
    }

    private func isDue(_ secret: Secret, _ now: Timestamp) -> Bool {
        guard secret.deletion == nil, let text = secret.annotations[K8sAnnotation.linkRenewal],
            secret.annotations[K8sAnnotation.program] != nil
        else { return false }
        if let outcome = state.withLock({ $0[secret.uid] }), outcome.due > now { return false }
        // A time that can't be read was written by somebody else: a new one puts that right.
        return (try? RFC3339.parse(text)).map { $0 <= now } ?? true
    }

    private func renew(_ secret: Secret, now: Timestamp) async {
        let failure: any Error
        do {
            guard let program = LinkedProgram(text: secret.annotations[K8sAnnotation.program] ?? "") else {
                throw RunnerError(.codeInvalid, "annotation \(K8sAnnotation.program) isn't one of this program's")
            }
            let link = try await links.link(for: program.custom, of: program.id)
            try await write(link, program, to: secret, now: now)
            return succeeded(secret, link, now)
        } catch {
            failure = error
        }
        guard !Task.isCancelled else { return }
        let delay = state.withLock { state -> Duration in
            var outcome = state[secret.uid] ?? Outcome(due: now)
            outcome.failures += 1
            let delay = Backoff.standard.delay(attempt: outcome.failures, seed: secret.uid)
            outcome.due = now.advanced(by: delay)
            state[secret.uid] = outcome
            return delay
        }
        // Its Pod is gone, or somebody else was quicker.
        if let error = failure as? K8sError, error.code == .conflict || error.code == .notFound { return }
        let text = (failure as? K8sError).map { "status \($0.status?.code ?? 0), \($0.code)" } ?? "\(failure)"
        logger.warning(
            "a bot's code link can't be renewed",
            metadata: [
                "secret": "\(secret.name)", "error": "\(text)",
                "expires": "\(secret.annotations[K8sAnnotation.linkExpiry]?.onOneLine ?? "")",
                "next_try_in": "\(GoDuration.string(delay))",
            ]
        )
    }

    /// Writes the one entry, and what the Secret says about it.
    private func write(
        _ link: CodeLink,
        _ program: LinkedProgram,
        to secret: Secret,
        now: Timestamp
    ) async throws(K8sError) {
        var change = Secret(name: secret.name)
        change.json[["metadata", "uid"]] = .string(secret.uid)
        change.annotations = link.annotations(for: program, now: now)
        change[PodTemplate.Entry.link] = Array(link.json.utf8)
        _ = try await secrets.apply(change, fieldManager: Self.fieldManager, force: true)
    }

    private func succeeded(_ secret: Secret, _ link: CodeLink, _ now: Timestamp) {
        let life = max(.zero, link.expiresAt.duration(since: now))
        state.withLock { $0[secret.uid] = Outcome(due: now.advanced(by: life / 2)) }
        logger.debug(
            "a bot's code link was renewed",
            metadata: ["secret": "\(secret.name)", "until": "\(link.expiresAt)"]
        )
    }
}
