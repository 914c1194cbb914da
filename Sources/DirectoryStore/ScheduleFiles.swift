import Control
import Glibc
import Model
import Synchronization
import Util

/// Cursors and runs of a directory's schedules, in one file for each; several processes share them.
///
/// Files are replaced as a whole, so readers need no lock. Every call that isn't `async` blocks.
final class ScheduleFiles: Sendable {
    /// The directory of the store.
    let root: String
    let patience: Duration
    let executor: BlockingExecutor
    private let clock: FileClock
    private let stampClock: FileClock
    let files: Vanishings
    /// The directory in which the folder was found last.
    private let lastRoot = Mutex<FileIdentity?>(nil)

    /// What files said that have not been replaced since, by name.
    private let known = Mutex<[String: (stamp: FileStamp, summary: StateSummary)]>([:])

    /// How many files are written at once: a disk writes many out in the time it takes for one.
    static let parallelWrites = 8

    /// How old a temporary file must be before its writer counts as dead, in nanoseconds.
    private static let leftoverAge: Int64 = 3600 * 1_000_000_000

    /// - Parameters:
    ///   - root: the directory of the store.
    ///   - clock: the time.
    ///   - grace: how long a file must be missing before that is believed.
    ///   - patience: how long to wait for another process's writing.
    ///   - stampClock: the time that files were written by.
    /// - Throws: `StoreError` when the system has no thread left to read on.
    init(
        root: String,
        clock: FileClock,
        grace: Duration,
        patience: Duration = .seconds(5),
        stampClock: FileClock = .system
    ) throws(StoreError) {
        self.root = root
        self.stampClock = stampClock
        self.clock = clock
        self.patience = patience
        files = Vanishings(grace: grace, clock: clock)
        do { executor = try BlockingExecutor(name: "schedules", threads: Self.parallelWrites) } catch {
            throw StoreError(.unavailable, error.message, cause: error)
        }
    }

    /// What is kept of a schedule; of one without a file, nothing.
    func state(of id: BotID) throws(StateProblem) -> ScheduleState {
        try checkFolder()
        return try read(StateFile.name(of: id), id) ?? ScheduleState(id: id)
    }

    /// The cursor and the runs of a schedule that haven't ended; of one without a file, nothing.
    func summary(of id: BotID) throws(StateProblem) -> StateSummary {
        try checkFolder()
        return try summary(StateFile.name(of: id), id) ?? StateSummary(ScheduleState(id: id))
    }

    /// What is kept of all schedules, and which files can't be used.
    /// - Throws: ``StateProblem`` when it can't be told which files there are.
    func all() throws(StateProblem) -> (states: [ScheduleState], problems: [StateProblem]) {
        try all { name throws(StateProblem) in try read(name, nil) }
    }

    /// The cursors and the unfinished runs of all schedules, and which files can't be used.
    /// - Throws: ``StateProblem`` when it can't be told which files there are.
    func summaries() throws(StateProblem) -> (states: [StateSummary], problems: [StateProblem]) {
        try all { name throws(StateProblem) in try summary(name, nil) }
    }

    private func all<State>(_ read: (String) throws(StateProblem) -> State?)
        throws(StateProblem) -> (states: [State], problems: [StateProblem])
    {
        guard try checkFolder() else {
            try refuse(doubtfulBesides: [])
            return ([], [])
        }
        let names: [String]
        do throws(FileProblem) { names = try TextFile.names(in: "\(root)/\(StateFile.folder)") } catch {
            throw StateProblem(error.description, file: StateFile.folder, code: .unavailable)
        }
        for name in names where StateFile.isTemporary(name) { removeLeftover(name) }
        let present = names.filter(StateFile.isState)
        try refuse(doubtfulBesides: present)
        var states: [State] = []
        var problems: [StateProblem] = []
        for name in present {
            do throws(StateProblem) { if let state = try read(name) { states.append(state) } } catch {
                guard error.code == .refused else { throw error }
                problems.append(error)
            }
        }
        return (states, problems)
    }

    /// Whether something is kept of a schedule.
    func isKnown(_ id: BotID) throws(StateProblem) -> Bool {
        try checkFolder()
        return try read(StateFile.name(of: id), id) != nil
    }

    private func summary(_ name: String, _ id: BotID?) throws(StateProblem) -> StateSummary? {
        let stamp = FileStamp("\(root)/\(StateFile.folder)/\(name)", clock: stampClock)
        if let stamp, let known = known.withLock({ $0[name] }), known.stamp == stamp,
            id ?? known.summary.id == known.summary.id
        {
            files.saw(name)
            return known.summary
        }
        let summary = try read(name, id).map { StateSummary($0) }
        known.withLock { known in
            // The stamp is the older of the two, if it isn't that of what was read: then it won't be met again.
            if let stamp, let summary { known[name] = (stamp, summary) } else { known[name] = nil }
        }
        return summary
    }

    /// What a file says, nil when there is none; `id` is whose it must be, where that is known.
    func read(_ name: String, _ id: BotID?) throws(StateProblem) -> ScheduleState? {
        let file = "\(StateFile.folder)/\(name)"
        let text: String?
        do throws(FileProblem) {
            text = try TextFile.read("\(root)/\(file)", limit: StateFile.longest, clock: nil)
        } catch {
            files.saw(name)
            throw StateProblem(error.description, file: file)
        }
        guard let text else {
            guard files.isGone(name) else { throw StateProblem(BotDirectory.doubt, file: file, code: .unavailable) }
            return nil
        }
        files.saw(name)
        do throws(StateProblem) {
            let state = try ScheduleState(text: text)
            guard StateFile.name(of: state.id) == name, id ?? state.id == state.id else {
                throw StateProblem("has a schedule_id that belongs into another file")
            }
            return state
        } catch {
            throw StateProblem("\(error.problem); nothing of its schedule runs until it can be read", file: file)
        }
    }

    /// Whether the folder is there.
    ///
    /// - Throws: ``StateProblem`` when it is missing from another directory than the one it was in: where nothing is mounted any
    ///   more, a run that was claimed would be claimed again.
    @discardableResult
    func checkFolder() throws(StateProblem) -> Bool {
        let now: FileIdentity
        do throws(FileProblem) { now = try TextFile.identity(root) } catch {
            throw StateProblem(error.description, code: .unavailable)
        }
        let isThere = TextFile.mayExist("\(root)/\(StateFile.folder)")
        let last = lastRoot.withLock { last in
            if isThere { last = now }
            return last
        }
        guard isThere || last == nil || last == now else {
            throw StateProblem(
                "is missing, and its directory is another than before; is something not mounted?",
                file: StateFile.folder,
                code: .unavailable
            )
        }
        return isThere
    }

    private func refuse(doubtfulBesides present: [String]) throws(StateProblem) {
        guard let name = files.doubtful(besides: present).first else { return }
        throw StateProblem(BotDirectory.doubt, file: "\(StateFile.folder)/\(name)", code: .unavailable)
    }

    /// Removes what a writer that died has left; nobody reads it.
    private func removeLeftover(_ name: String) {
        let path = "\(root)/\(StateFile.folder)/\(name)"
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if clock.wall() - FileState(status).modified > Self.leftoverAge { unlink(path) }
    }
}
