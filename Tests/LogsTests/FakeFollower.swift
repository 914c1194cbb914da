import Model
import Runtime
import Synchronization
import Util

/// A platform in memory whose runs write what a test says.
final class FakeFollower: RunOutputFollowing, Sendable {
    struct Output {
        var lines: [OutputText] = []
        var hasEnded = false
        var isGone = false
        /// How often it was followed from its beginning or from a place on.
        var follows: [String?] = []
    }

    private struct State {
        var outputs: [String: Output] = [:]
        var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
        var listed: [ObservedRun] = []
        /// How many more followings fail after how many lines.
        var failures = 0
        var failsAfter = 0
        /// How many followings there are, and were at most.
        var followings = 0
        var mostFollowings = 0
    }

    private let state = Mutex(State())
    let batchSize: Int

    init(batchSize: Int = 3) { self.batchSize = batchSize }

    func write(_ reference: String, _ lines: [OutputText], ends: Bool = false) {
        change { state in
            state.outputs[reference, default: Output()].lines += lines
            if ends { state.outputs[reference]?.hasEnded = true }
        }
    }

    func end(_ reference: String) { change { $0.outputs[reference, default: Output()].hasEnded = true } }

    func remove(_ reference: String) { change { $0.outputs[reference, default: Output()].isGone = true } }

    func fail(times: Int, after lines: Int) {
        change { state in
            state.failures = times
            state.failsAfter = lines
        }
    }

    func follows(_ reference: String) -> [String?] { state.withLock { $0.outputs[reference]?.follows ?? [] } }

    var mostFollowings: Int { state.withLock { $0.mostFollowings } }

    private func change(_ body: (inout State) -> Void) {
        let sleepers = state.withLock { state in
            body(&state)
            defer { state.sleepers = [:] }
            return state.sleepers
        }
        for sleeper in sleepers.values { sleeper.resume() }
    }

    func follow(
        _ run: ObservedRun,
        after position: OutputPosition?,
        waiting: Bool,
        deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(RunnerError) {
        var index = position.flatMap { Int($0.text) } ?? 0
        let begin = index
        state.withLock { state in
            state.outputs[run.reference, default: Output()].follows.append(position?.text)
            state.followings += 1
            state.mostFollowings = max(state.mostFollowings, state.followings)
        }
        defer { state.withLock { $0.followings -= 1 } }
        while true {
            guard !Task.isCancelled else { throw RunnerError(.cancelled, "cancelled") }
            let (output, fails) = state.withLock { state in
                let output = state.outputs[run.reference] ?? Output()
                let fails = state.failures > 0 && index - begin >= state.failsAfter
                if fails { state.failures -= 1 }
                return (output, fails)
            }
            if fails || output.isGone { throw RunnerError(.unavailable, "broken off") }
            if index < output.lines.count {
                let end = min(index + batchSize, output.lines.count)
                let batch = OutputBatch(
                    lines: Array(output.lines[index..<end]),
                    position: OutputPosition(text: String(end))
                )
                do { try await deliver(batch) } catch {
                    throw RunnerError(.unavailable, "not taken", cause: error)
                }
                index = end
            } else if output.hasEnded || !waiting {
                return
            } else {
                await sleep(reference: run.reference, past: index)
            }
        }
    }

    private func sleep(reference: String, past index: Int) async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    let output = state.outputs[reference] ?? Output()
                    if Task.isCancelled || output.lines.count > index || output.hasEnded || output.isGone {
                        return true
                    }
                    state.sleepers[number] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.resume()
        }
    }

    /// What there is, as it is listed.
    func list(_ runs: [ObservedRun]) { state.withLock { $0.listed = runs } }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] { state.withLock { $0.listed } }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await runs(of: kind).filter { $0.id == id }
    }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {}
    func remove(_ run: ObservedRun) async throws(RunnerError) {}
}

let noon = Timestamp(secondsSince1970: 1_800_014_400)

func run(_ reference: String, of id: BotID = "a", made seconds: Int = 0, exited: Bool = false) -> ObservedRun {
    let made = noon.advanced(by: .seconds(seconds))
    let exit = Exit(code: 0, startedAt: made, finishedAt: made.advanced(by: .seconds(1)))
    return ObservedRun(
        reference: reference,
        id: id,
        kind: .live,
        origin: .hash("h"),
        attempt: 0,
        createdAt: made,
        phase: exited ? .exited(exit) : .running(since: made)
    )
}

func line(_ text: String, at offset: Duration = .zero, stream: OutputLine.Stream = .stdout, cut: Int = 0) -> OutputText
{
    OutputText(stream: stream, time: noon.advanced(by: offset), bytes: Array(text.utf8), cut: cut)
}

func lines(_ range: Range<Int>, _ prefix: String = "line") -> [OutputText] {
    range.map { line("\(prefix) \($0)", at: .milliseconds($0)) }
}
