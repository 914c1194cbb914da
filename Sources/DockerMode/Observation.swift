import HTTP
import Logging
import Model
import Runtime
import Util

/// Reads from the engine what runs.
struct Observation: Sendable {
    let engine: Engine
    let instance: String
    let inspections: AsyncSemaphore
    let logger: Logger

    /// Containers of version 1.2.0 carry no instance; they are this one's.
    static let defaultInstance = "default"

    /// The runs of a kind, of all bots or of one.
    func runs(of kind: ExecutableKind, id: BotID?) async throws(RunnerError) -> [ObservedRun] {
        let doing = "listing containers"
        let summaries: [ContainerSummary]
        do throws(DockerError) { summaries = try await list(of: kind, id: id) } catch {
            throw error.runnerError(.unavailable, doing)
        }
        let found: [ObservedRun?]
        do {
            found = try await withThrowingTaskGroup(of: ObservedRun?.self) { group in
                var runs: [ObservedRun?] = []
                for summary in summaries {
                    // Most containers run, and then the list says it all. It lags behind the events, though: 3 ms after a `die`
                    // it still says "running" (20.10), so whoever asks for one bot, woken by an event, gets its details.
                    if id == nil, let run = observed(summary) {
                        runs.append(run)
                    } else if isCandidate(summary, kind) {
                        group.addTask { try await inspections.withPermit { try await inspected(summary, kind) } }
                    }
                }
                for try await run in group { runs.append(run) }
                return runs
            }
        } catch let error as DockerError {
            throw error.runnerError(.unavailable, doing)
        } catch {
            throw RunnerError(.cancelled, "\(doing): cancelled", cause: error)
        }
        return found.compactMap { run in
            guard let run, run.kind == kind, id == nil || run.id == id else { return nil }
            return run
        }
    }

    private func list(of kind: ExecutableKind, id: BotID?) async throws(DockerError) -> [ContainerSummary] {
        var labels = ["\(Label.managed)=true"]
        if let id { labels.append("\(Label.id)=\(id.text)") }
        // The default instance also has containers without these labels.
        if instance != Observation.defaultInstance {
            labels.append("\(Label.instance)=\(instance)")
            labels.append("\(Label.kind)=\(kind.rawValue)")
        }
        var call = EngineCall(method: .get, path: "/containers/json", query: [("all", "1")], limit: 256 << 20)
        call.filter([("label", labels)])
        let answer = try await engine.send(call)
        // Only the whole list is the truth.
        try answer.expect(200)
        do { return try ContainerSummary.list(answer.body) } catch {
            throw answer.nonsense("no whole list of containers, at byte \(error.offset) of \(answer.body.count)")
        }
    }

    /// The run, where the list says all there is to know.
    private func observed(_ summary: ContainerSummary) -> ObservedRun? {
        guard let origin = ownOrigin(summary) else { return nil }
        let createdAt = Timestamp(secondsSince1970: summary.created)
        let phase: ObservedRun.Phase
        switch ContainerState(summary.state) {
        case .created: phase = .created
        case .active: phase = .running(since: createdAt)
        case .leaving: phase = .leaving
        case .ended: return nil
        }
        return ObservedRun(
            reference: summary.id,
            id: origin.id,
            kind: origin.kind,
            slot: origin.slot,
            origin: .hash(origin.hash),
            attempt: origin.attempt,
            createdAt: createdAt,
            phase: phase
        )
    }

    private struct OwnOrigin {
        let id: BotID
        let kind: ExecutableKind
        let slot: Slot?
        let hash: String
        let attempt: Int
    }

    private func ownOrigin(_ summary: ContainerSummary) -> OwnOrigin? {
        guard summary.labels[Label.instance] == instance, let id = summary.labels[Label.id], !id.isEmpty,
            let kind = summary.labels[Label.kind].flatMap({ ExecutableKind(rawValue: $0) })
        else { return nil }
        return OwnOrigin(
            id: BotID(id),
            kind: kind,
            slot: kind == .scheduled ? summary.labels[Label.slot].flatMap { Slot($0) } : nil,
            hash: summary.labels[Label.hash] ?? "",
            attempt: max(0, summary.labels[Label.attempt].flatMap { Int($0) } ?? 0)
        )
    }

    /// Whether a container has to be looked at more closely: ours that ended, and what has none of our labels.
    private func isCandidate(_ summary: ContainerSummary, _ kind: ExecutableKind) -> Bool {
        guard let id = summary.labels[Label.id], !id.isEmpty else { return false }
        if let origin = ownOrigin(summary) { return origin.kind == kind }
        return instance == Observation.defaultInstance && summary.labels[Label.instance] == nil
            && summary.labels[Label.kind] == nil
    }

    /// The run as its container's details tell; nil when it is gone meanwhile, or nobody's.
    private func inspected(
        _ summary: ContainerSummary,
        _ kind: ExecutableKind
    ) async throws(DockerError) -> ObservedRun? {
        guard let details = try await engine.details(of: summary.id) else { return nil }
        let phase: ObservedRun.Phase =
            switch ContainerState(details.status) {
            case .created: .created
            case .active: .running(since: details.startedAt ?? details.createdAt)
            case .leaving: .leaving
            case .ended: .exited(details.exit)
            }
        if let origin = ownOrigin(summary) {
            return ObservedRun(
                reference: details.id,
                id: origin.id,
                kind: origin.kind,
                slot: origin.slot,
                origin: .hash(origin.hash),
                attempt: origin.attempt,
                createdAt: details.createdAt,
                phase: phase
            )
        }
        guard let legacy = LegacyContainer(details) else {
            logger.debug(
                "left alone: a container of another version, of which it can't be told whether it is a live bot or a scheduled run",
                metadata: ["container": "\(summary.id)"]
            )
            return nil
        }
        return ObservedRun(
            reference: details.id,
            id: BotID(summary.labels[Label.id] ?? ""),
            kind: legacy.kind,
            origin: .legacy(legacy.launch),
            attempt: 0,
            createdAt: details.createdAt,
            phase: phase
        )
    }
}

/// What an engine's word for a container's state comes down to.
enum ContainerState: Sendable, Hashable {
    case created, active, ended, leaving

    /// Docker's words, and Podman's: `initialized`, `configured`, `stopping`, `stopped`. A word that isn't known counts as
    /// running: nothing is started beside what may run.
    init(_ word: String) {
        switch word {
        case "created", "configured", "initialized": self = .created
        case "exited", "stopped", "dead": self = .ended
        case "removing": self = .leaving
        default: self = .active
        }
    }
}
