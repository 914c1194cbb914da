public import Logging
import Model
public import Runtime
import Synchronization
import Util

/// Reads what a platform ran by itself for the schedules that it keeps.
public protocol PlatformRunReading: Sendable {
    /// The runs that have ended, as far as the platform still has them.
    /// - Throws: `RunnerError` when they can't all be told.
    func endedRuns() async throws(RunnerError) -> [PlatformRun]

    /// How a run ended; nil when the platform doesn't have it any more.
    /// - Parameters:
    ///   - run: the run.
    ///   - limit: the most bytes that its result may have.
    func end(of run: PlatformRun, limit: Int) async throws(RunnerError) -> PlatformRunEnd?
}

/// A run that a platform made for a slot.
public struct PlatformRun: Sendable, Hashable {
    /// The platform's own name for it, which no other run ever has.
    public var reference: String
    /// The schedule, and the slot.
    public var key: RunKey

    /// A run.
    public init(reference: String, key: RunKey) {
        self.reference = reference
        self.key = key
    }
}

/// How a run that a platform made has ended.
public struct PlatformRunEnd: Sendable {
    /// Its exit code and times.
    public var exit: Exit
    /// Whether the platform ended it because it took too long.
    public var isTimedOut: Bool
    /// What it left as its result, nil for none, or why that can't be had.
    public var result: Result<[UInt8]?, RunnerError>

    /// An end.
    public init(exit: Exit, isTimedOut: Bool, result: Result<[UInt8]?, RunnerError>) {
        self.exit = exit
        self.isTimedOut = isTimedOut
        self.result = result
    }
}

/// Puts what a platform ran by itself into the books: how each run ended, and the result that it left.
///
/// A run is known by its schedule and slot, so it is noted once, however many controllers do so and whenever they die.
public final class PlatformHistory: Sendable {
    private let platform: any PlatformRunReading
    private let runs: any RunStore
    private let results: (any ResultStore)?
    private let options: SchedulerOptions
    private let logger: Logger
    /// Runs that are in the books.
    private let noted = Mutex<Set<PlatformRun>>([])

    /// The books of a platform's runs.
    /// - Parameters:
    ///   - platform: what ran.
    ///   - runs: where it is noted.
    ///   - results: where results go; nil leaves them.
    ///   - options: how often to look, how many runs are remembered, and how large a result may be.
    ///   - logger: told of every end.
    public init(
        platform: any PlatformRunReading,
        runs: any RunStore,
        results: (any ResultStore)?,
        options: SchedulerOptions = SchedulerOptions(),
        logger: Logger
    ) {
        self.platform = platform
        self.runs = runs
        self.results = results
        self.options = options
        self.logger = logger
    }

    /// Looks again and again, until cancelled.
    public func run() async {
        while !Task.isCancelled {
            do { try await look() } catch {
                guard !Task.isCancelled else { return }
                logger.warning("runs of the platform not noted", metadata: ["error": "\(error)"])
            }
            // Cancelled: the loop ends.
            try? await Task.sleep(for: options.interval)
        }
    }

    /// Notes what has ended since the last look.
    /// - Throws: `RunnerError` or `StoreError`; what was noted by then is.
    public func look() async throws {
        let ended = Set(try await platform.endedRuns())
        let fresh = noted.withLock { noted in
            noted.formIntersection(ended)
            return ended.subtracting(noted)
        }
        guard !fresh.isEmpty else { return }
        let known = Set(try await runs.runs(fresh.map(\.key)).map(\.key))
        noted.withLock { $0.formUnion(fresh.filter { known.contains($0.key) }) }
        for run in fresh.sorted(by: { $0.key.slot < $1.key.slot }) where !known.contains(run.key) {
            if let end = try await platform.end(of: run, limit: options.largestResult) { try await note(run, end) }
            noted.withLock { _ = $0.insert(run) }
        }
    }

    private func note(_ run: PlatformRun, _ end: PlatformRunEnd) async throws {
        var record = RunRecord(
            id: run.key.id,
            slot: run.key.slot,
            owner: "",
            claimedAt: end.exit.startedAt,
            notBefore: Timestamp(secondsSince1970: run.key.slot.time),
            startBy: end.exit.startedAt
        )
        record.phase = .ended
        record.startedAt = end.exit.startedAt
        record.endedAt = end.exit.finishedAt
        record.exitCode = end.exit.code
        record.reason = end.exit.platformError
        record.outcome =
            end.isTimedOut ? .timedOut : end.exit.outOfMemory ? .outOfMemory : end.exit.code == 0 ? .succeeded : .failed
        record.result = try await store(end.result, &record)
        guard try await runs.add([record]).contains(record.key) else { return }
        try await runs.trim(record.id, keeping: options.history)
        logger.info(
            "run \(record.outcome?.rawValue ?? "ended")",
            metadata: [
                "schedule": "\(record.id)", "slot": "\(SlotPlan.text(record.slot))", "exit_code": "\(end.exit.code)",
            ]
        )
    }

    /// The result first, then the record: a record says what has become of the result.
    private func store(
        _ result: Result<[UInt8]?, RunnerError>,
        _ record: inout RunRecord
    ) async throws -> RunRecord.Result {
        let bytes: [UInt8]?
        switch result {
        case .success(let found): bytes = found
        case .failure(let error):
            record.reason += "\(record.reason.isEmpty ? "" : "; ")result: \(error.message)"
            return .lost
        }
        guard let bytes, let results else { return .none }
        let slot = record.slot
        let isOlder = try await runs.history(of: record.id, limit: options.history).contains {
            $0.slot > slot && $0.result == .stored
        }
        if isOlder { return .superseded }
        try await results.store(bytes, of: record.id)
        return .stored
    }
}
