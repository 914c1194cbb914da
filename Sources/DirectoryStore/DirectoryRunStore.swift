public import Control
public import Logging
public import Model
import Synchronization
import Util

/// Runs of a directory's schedules, in files below `.runtime/schedules` that all its schedulers share.
///
/// A schedule whose file can't be read is an error for whoever asks for it by id. Where all are asked for, the others are
/// told and the file is named in the log: one broken file must not stop every schedule.
public final class DirectoryRunStore: RunStore {
    /// The directory.
    public let path: String
    private let logger: Logger
    private let files: ScheduleFiles
    private let reported = Mutex<[String: String]>([:])

    /// A store over a directory; nothing is read yet.
    /// - Throws: `StoreError` when the system has no thread left to read on.
    public convenience init(path: String, logger: Logger) throws(StoreError) {
        try self.init(path: path, logger: logger, clock: .system, grace: .seconds(2))
    }

    init(path: String, logger: Logger, clock: FileClock, grace: Duration, patience: Duration = .seconds(5))
        throws(StoreError)
    {
        self.path = path
        self.logger = logger
        files = try ScheduleFiles(root: path, clock: clock, grace: grace, patience: patience)
    }

    /// Adds runs, each unless there is one of its key.
    /// - Throws: `StoreError` when some can't be added; the others may have been.
    public func add(_ runs: [RunRecord]) async throws(StoreError) -> Set<RunKey> {
        let byID = Dictionary(grouping: runs, by: \.id)
        let added = try await files.update(Array(byID.keys)) { state in
            var added: [RunKey] = []
            for run in byID[state.id] ?? [] where state.add(run) { added.append(run.key) }
            return added
        }
        return Set(added.joined())
    }

    /// Puts a record in the place of the one of its key, if that has the revision before.
    public func replace(_ run: RunRecord) async throws(StoreError) -> Bool {
        guard try await isKnown(run.id) else { return false }
        return try await files.update([run.id]) { $0.replace(run) } == [true]
    }

    /// The runs of some keys that there are.
    /// - Throws: `StoreError` when the file of one of their schedules can't be read.
    public func runs(_ keys: [RunKey]) async throws(StoreError) -> [RunRecord] {
        let wanted = Set(keys)
        return try await files.blocking { files throws(StateProblem) in
            var found: [RunRecord] = []
            for id in keys.map(\.id).uniqued() {
                found += try files.state(of: id).runs.filter { wanted.contains($0.key) }
            }
            return found
        }
    }

    /// Every run that has not ended.
    ///
    /// - Throws: `StoreError` when the directory can't be read, or the file of a schedule that was asked for. When all are asked
    ///   for, those in a file that can't be used are missing: nothing of their schedule runs, since every claim of it fails.
    public func unfinished(of ids: [BotID]?) async throws(StoreError) -> [RunRecord] {
        try await files.blocking { files throws(StateProblem) in
            if let ids {
                let summaries = try ids.uniqued().map { id throws(StateProblem) in try files.summary(of: id) }
                return summaries.flatMap(\.unfinished)
            }
            let (summaries, problems) = try files.summaries()
            self.report(problems)
            return summaries.flatMap(\.unfinished)
        }
    }

    /// The latest runs, newest slot first, of one schedule or of all.
    /// - Throws: `StoreError` as ``unfinished(of:)`` does.
    public func history(of id: BotID?, limit: Int) async throws(StoreError) -> [RunRecord] {
        let runs = try await files.blocking { files throws(StateProblem) in
            if let id { return try files.state(of: id).runs }
            let (states, problems) = try files.all()
            self.report(problems)
            return states.flatMap(\.runs)
        }
        return Array(runs.sorted(by: ScheduleState.isNewer).prefix(max(0, limit)))
    }

    /// The newest run of each schedule that has any.
    /// - Throws: `StoreError` as ``unfinished(of:)`` does.
    public func latest(of ids: [BotID]?, trigger: Slot.Trigger?) async throws(StoreError) -> [RunRecord] {
        try await files.blocking { files throws(StateProblem) in
            let states: [ScheduleState]
            if let ids {
                states = try ids.uniqued().map { id throws(StateProblem) in try files.state(of: id) }
            } else {
                let (all, problems) = try files.all()
                self.report(problems)
                states = all
            }
            return states.compactMap { state in
                state.runs.filter { $0.slot.trigger == trigger ?? $0.slot.trigger }.max { $0.slot < $1.slot }
            }
        }
    }

    /// Forgets the oldest runs of a schedule beyond a number; never one that has not ended.
    public func trim(_ id: BotID, keeping count: Int) async throws(StoreError) {
        guard try await isKnown(id) else { return }
        _ = try await files.update([id]) { $0.trim(keeping: count) }
    }

    /// Names files that can't be used, each once for as long as it stays so.
    private func report(_ problems: [StateProblem]) {
        let now = Dictionary(problems.map { ($0.file, $0.problem) }, uniquingKeysWith: { first, _ in first })
        let new = reported.withLock { known in
            defer { known = now }
            return now.filter { known[$0.key] != $0.value }
        }
        for (file, problem) in new.sorted(by: { $0.key < $1.key }) {
            logger.error("runs can't be read", metadata: ["file": "\(path)/\(file)", "error": "\(problem)"])
        }
    }

    /// Whether something is kept of a schedule; where nothing is, there is nothing to lock.
    private func isKnown(_ id: BotID) async throws(StoreError) -> Bool {
        try await files.blocking { files throws(StateProblem) in try files.isKnown(id) }
    }
}
