import Model
import Runtime
import Util

/// Tells a run from its Job and the Pods of it: pure functions of what the API server has.
enum JobReading {
    /// A Job of ours as a run; nil for one that isn't.
    /// - Parameters:
    ///   - job: the Job.
    ///   - pods: its Pods, where it has ended and they could be read.
    ///   - slot: what it is for.
    static func run(_ job: Job, pods: [Pod]?, slot: Slot, ownership: Ownership) -> ObservedRun? {
        guard ownership.owns(job, kind: .scheduled), let id = job.annotations[K8sAnnotation.id], !id.isEmpty else {
            return nil
        }
        let phase: ObservedRun.Phase
        if job.deletion != nil {
            phase = .leaving
        } else if job.isFinished {
            phase = .exited(exit(job, pods: pods ?? []))
        } else {
            phase = .running(since: job.started ?? job.creationTime)
        }
        return ObservedRun(
            reference: ObjectReference(job).text,
            id: BotID(id),
            kind: .scheduled,
            slot: slot,
            origin: .hash(job.annotations[K8sAnnotation.hash] ?? ""),
            attempt: max(0, job.annotations[K8sAnnotation.attempt].flatMap { Int($0) } ?? 0),
            createdAt: job.creationTime,
            phase: phase
        )
    }

    /// Whether a Job that is finished has really ended: older kubelets say that a Pod has failed when its time is over, and end
    /// its containers after that.
    /// - Parameter patience: for how long after the Job's end that is waited for; some never tell.
    static func isOver(_ job: Job, pods: [Pod], patience: Duration, now: Timestamp) -> Bool {
        guard let end = job.completed ?? job.failure?.changed, now.duration(since: end) < patience else { return true }
        return !(lastPod(pods)?.containers ?? []).contains { container in
            if case .running = container.state { true } else { false }
        }
    }

    /// How a Job that is finished has ended: as its last Pod did.
    static func exit(_ job: Job, pods: [Pod]) -> Exit {
        let began = job.started ?? job.creationTime
        let last = lastPod(pods)
        let ended = job.completed ?? job.failure?.changed ?? began
        guard let last, let termination = last.decisiveEnd else {
            let reason = job.failure.map { [$0.reason, $0.message].filter { !$0.isEmpty }.joined(separator: ": ") }
            let what = last == nil ? "its Pod is gone or never began" : "nothing tells how it ended"
            return Exit(
                // As a process that was killed: that is all a Pod that is gone, or never began, tells.
                code: job.isComplete ? 0 : 137,
                startedAt: began,
                finishedAt: max(began, ended),
                platformError: job.isComplete ? "" : "\(what): \(reason ?? "no reason given")"
            )
        }
        let started = termination.started ?? last.started ?? began
        let reasons = [last.reason, last.message].compactMap { $0?.onOneLine }.filter { !$0.isEmpty }
        return Exit(
            code: termination.exitCode,
            outOfMemory: termination.reason == "OOMKilled",
            startedAt: started,
            finishedAt: max(started, termination.finished ?? ended),
            platformError: ([last.preparationFailure].compactMap(\.self) + reasons).joined(separator: ": ")
        )
    }

    /// The Pod of a Job's last attempt.
    static func lastPod(_ pods: [Pod]) -> Pod? { pods.max { ($0.creationTime, $0.name) < ($1.creationTime, $1.name) } }

    /// What the bot's container left as its termination message.
    static func message(of pod: Pod) -> String? {
        for value in pod.json[["status", "containerStatuses"]]?.array ?? [] {
            guard let status = value.object, status["name"]?.string == PodTemplate.Container.bot else { continue }
            return status[["state", "terminated", "message"]]?.string
        }
        return nil
    }
}

/// What an ``ObservedRun`` that isn't a Pod is called: an object's name, and the uid that tells it from a later one.
struct ObjectReference: Sendable, Hashable {
    let name: String
    let uid: String

    init(_ object: some K8sObject) {
        name = object.name
        uid = object.uid
    }

    /// As `schedule-x/1b4e28ba-2fa1-11d2-883f-0016d3cca427`.
    var text: String { "\(name)/\(uid)" }

    /// Reads ``text``.
    /// - Throws: `RunnerError` with code `gone` for a run that is none of this runner's.
    init(_ run: ObservedRun) throws(RunnerError) {
        let parts = run.reference.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw RunnerError(.gone, "\(run.reference.escapedForMessage) is no object's name and uid")
        }
        name = String(parts[0])
        uid = String(parts[1])
    }
}

extension K8sObject {
    /// When it was made; the beginning of time where nobody says so.
    var creationTime: Timestamp { created ?? Timestamp(secondsSince1970: 0) }
}

extension Pod {
    /// How what decides about its end has ended: what came before the bot, if that failed, else the bot.
    fileprivate var decisiveEnd: ContainerStatus.Termination? {
        for container in initContainers {
            if case .terminated(let termination) = container.state, termination.exitCode != 0 { return termination }
        }
        for container in containers where container.name == PodTemplate.Container.bot {
            if case .terminated(let termination) = container.state { return termination }
        }
        return nil
    }

    /// What is to be said where the bot was never started.
    fileprivate var preparationFailure: String? {
        for container in initContainers {
            guard case .terminated(let termination) = container.state, termination.exitCode != 0 else { continue }
            return "container \(container.name.onOneLine) before the bot's ended with \(termination.exitCode)"
        }
        return nil
    }
}
