import Model
import Runtime
import Synchronization
import Util

/// What of a bot's log only the engine has.
final class EngineLines: Sendable {
    private static let contextSize = 16
    private static let pause = Duration.seconds(1)

    private let request: LogReader.Request
    private let reader: LogReader
    private let known: Known
    /// Where each run was read up to; nil for those that are done.
    private let places = Mutex<[String: OutputPosition?]>([:])
    private let done = Mutex<Set<String>>([])

    init(_ request: LogReader.Request, _ reader: LogReader, _ known: Known) {
        self.request = request
        self.reader = reader
        self.known = known
    }

    /// Hands over what there is.
    func readThere(_ deliver: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        guard let follower = reader.follower else { return }
        let runs = try await runs(follower)
        guard known.state == nil, known.log != nil else {
            for run in runs { try await read(run, follower, waiting: false, deliver) }
            return
        }
        let context = try await storedContext()
        guard !context.isEmpty else {
            for run in runs { try await read(run, follower, waiting: false, deliver) }
            return
        }
        let matching = Matching(context)
        for run in runs {
            matching.beginRun()
            try await read(run, follower, waiting: false) { matching.add($0) }
        }
        for line in matching.unmatched { try await deliver(line) }
    }

    /// Hands over what is written from now on, by this run and those that come after it, until cancelled.
    func follow(_ deliver: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        guard let follower = reader.follower else {
            throw LogsError(.invalidOption, "a log can only be followed where the bot's engine is", isRetryable: false)
        }
        while !Task.isCancelled {
            do throws(LogsError) {
                for run in try await runs(follower) where !done.withLock({ $0.contains(run.reference) }) {
                    try await read(run, follower, waiting: true, deliver)
                    _ = done.withLock { $0.insert(run.reference) }
                }
            } catch {
                // What `deliver` throws ends it; an engine that is away comes back.
                guard error.code == .runner, !(error.cause is DeliveryError) else { throw error }
            }
            try await reader.clock.sleep(for: Self.pause)
        }
    }

    private func runs(_ follower: any RunOutputFollowing) async throws(LogsError) -> [ObservedRun] {
        let runs: [ObservedRun]
        do { runs = try await follower.runs(of: request.kind, id: request.id) } catch {
            throw LogsError(.runner, error.message, cause: error)
        }
        return runs.filter { $0.phase != .created && !isStored($0) }.sorted { $0.createdAt < $1.createdAt }
    }

    /// Whether the collector has read a run to its end.
    private func isStored(_ run: ObservedRun) -> Bool {
        guard let state = known.state else { return false }
        guard let index = state.index(of: run.reference) else { return run.createdAt <= state.forgotten }
        return state.runs[index].endedAt != nil && run.lastStart <= state.runs[index].since
    }

    private func read(
        _ run: ObservedRun,
        _ follower: any RunOutputFollowing,
        waiting: Bool,
        _ deliver: @escaping @Sendable (LogLine) async throws -> Void
    ) async throws(LogsError) {
        let spooled = known.state.flatMap { state in state.index(of: run.reference).map { state.runs[$0].position } }
        let start = places.withLock { $0[run.reference] } ?? spooled ?? nil
        do throws(RunnerError) {
            try await follower.follow(run, after: start, waiting: waiting) { batch in
                var format = LineFormat()
                for line in batch.lines {
                    var bytes: [UInt8] = []
                    format.append(self.request.masking?.masked(line) ?? line, to: &bytes)
                    do { try await deliver(LogLine(bytes.dropLast(), engineTime: line.time)) } catch {
                        throw DeliveryError(cause: error)
                    }
                }
                self.places.withLock { $0[run.reference] = batch.position }
            }
        } catch {
            throw LogsError(error.code == .cancelled ? .cancelled : .runner, error.message, cause: error.cause ?? error)
        }
    }

    /// The last stored lines that a run wrote.
    private func storedContext() async throws -> [[UInt8]] {
        guard let log = known.log, let (day, size) = known.stored.last(where: { $0.size > 0 }) else { return [] }
        let (start, _) = try await log.start(ofLast: Self.contextSize * 4, in: day, before: size)
        let lines = LastLines(Self.contextSize)
        try await log.lines(of: day, in: start..<size) { if !$0.isMark { lines.add($0) } }
        return lines.lines.map(\.bytes)
    }
}

/// What took a line didn't want it.
struct DeliveryError: Error { let cause: any Error }

/// Finds the last place where the last stored lines stand in a row.
private final class Matching: Sendable {
    private struct State {
        /// As many of the run's last lines as there are stored ones to compare with.
        var window: [[UInt8]] = []
        var unmatched: [LogLine] = []
    }

    private let context: [[UInt8]]
    private let state = Mutex(State())

    init(_ context: [[UInt8]]) { self.context = context }

    var unmatched: [LogLine] { state.withLock { $0.unmatched } }

    func beginRun() { state.withLock { $0.window = [] } }

    func add(_ line: LogLine) {
        state.withLock { state in
            state.window.append(line.bytes)
            if state.window.count > context.count { state.window.removeFirst() }
            // At its beginning a run has fewer lines than are stored; those before them are of the run before.
            if line.bytes == context.last, state.window.elementsEqual(context.suffix(state.window.count)) {
                state.unmatched = []
            } else {
                state.unmatched.append(line)
            }
        }
    }
}
