public import Control
public import Model
import Util

/// Schedules in a directory: its programs of `type: scheduled`, and the bots that `bots.yaml` makes of them.
///
/// The expression is `schedule` in the bot's parameters. Cursors are kept beside the files that people write, in
/// `.runtime/schedules`. `docs/directory-store.md` tells the format.
public final class DirectoryScheduleStore: ScheduleStore {
    /// The directory.
    public var path: String { directory.path }
    private let directory: BotDirectory
    private let files: ScheduleFiles

    /// A store over a directory; nothing is read yet.
    /// - Throws: `StoreError` when the system has no thread left to read on.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, clock: .system, grace: .seconds(2))
    }

    init(path: String, clock: FileClock, grace: Duration) throws(StoreError) {
        directory = try BotDirectory(path: path, clock: clock, grace: grace)
        files = try ScheduleFiles(root: path, clock: clock, grace: grace)
    }

    /// Every schedule of the directory.
    /// - Throws: `StoreError` when the directory or its list can't be read.
    public func schedules() async throws(StoreError) -> [StoredSchedule] { try await read { _ in true } }

    /// Those of some ids that the directory has.
    /// - Throws: `StoreError` when the directory or its list can't be read.
    public func schedules(_ ids: [BotID]) async throws(StoreError) -> [StoredSchedule] {
        guard !ids.isEmpty else { return [] }
        let ids = Set(ids)
        return try await read { $0.map { ids.contains($0) } ?? false }
    }

    /// Moves cursors on, each only if the schedule's expression and its cursor stand as they were read.
    /// - Throws: `StoreError` when the directory can't be read, or not every cursor can be written.
    public func move(_ moves: [CursorMove]) async throws(StoreError) -> Set<BotID> {
        guard !moves.isEmpty else { return [] }
        let ids = Set(moves.map(\.id))
        let expressions = try await directory.blocking { _ throws(StoreError) in try self.expressions(of: ids) }
        let valid = moves.filter { move in
            expressions[move.id].map { $0.utf8.elementsEqual(move.schedule.utf8) } ?? false
        }
        let byID = Dictionary(grouping: valid, by: \.id)
        let moved = try await files.update(Array(byID.keys)) { state in
            var isMoved = false
            for move in byID[state.id] ?? [] where state.move(move) { isMoved = true }
            return isMoved ? state.id : nil
        }
        return Set(moved.compactMap(\.self))
    }

    /// Whether the directory can be read, and cursors and runs kept in it.
    /// - Throws: `StoreError` when not.
    public func check() async throws(StoreError) {
        _ = try await directory.blocking { directory throws(StoreError) in try directory.entries() }
        try await files.blocking { files throws(StateProblem) in try files.checkWriting() }
    }

    private func read(_ isWanted: @escaping @Sendable (BotID?) -> Bool) async throws(StoreError) -> [StoredSchedule] {
        try await directory.blocking { directory throws(StoreError) in
            let schedules = try directory.entries().filter { isWanted($0.id) }.compactMap { entry in
                switch entry {
                case .broken(let id, let error): StoredSchedule.broken(id, error)
                case .instance(let instance): self.stored(instance)
                }
            }
            return StoredSchedule.resolvingDuplicates(schedules)
        }
    }

    private func stored(_ instance: BotInstance) -> StoredSchedule? {
        var isOff = instance.enabled == false
        do throws(DocumentError) {
            guard let program = try directory.reader.program(instance, of: .scheduled) else { return nil }
            let config = try directory.reader.config(instance)
            isOff = !Bot.enabled(top: instance.enabled, config: config["enabled"])
            let expression = try instance.expression(in: config)
            let bot = try directory.reader.bot(instance, program, config: config)
            return .schedule(BotSchedule(bot: bot, schedule: expression, cursor: try cursor(of: instance.id)))
        } catch {
            return isOff ? .off(instance.id) : .broken(instance.id, error)
        }
    }

    private func cursor(of id: BotID) throws(DocumentError) -> ScheduleCursor {
        do throws(StateProblem) { return try files.summary(of: id).cursor } catch { throw error.documentError(of: id) }
    }

    /// The expressions of those schedules that have one which can be read; nothing is told of others.
    private func expressions(of ids: Set<BotID>) throws(StoreError) -> [BotID: String] {
        var found: [BotID: String] = [:]
        var counts: [BotID: Int] = [:]
        for entry in try directory.entries() {
            guard let id = entry.id, ids.contains(id) else { continue }
            counts[id, default: 0] += 1
            guard case .instance(let instance) = entry, let expression = expression(of: instance) else { continue }
            found[id] = expression
        }
        return found.filter { counts[$0.key] == 1 }
    }

    private func expression(of instance: BotInstance) -> String? {
        do throws(DocumentError) {
            guard try directory.reader.program(instance, of: .scheduled) != nil else { return nil }
            return try instance.expression(in: try directory.reader.config(instance))
        } catch {
            // What is wrong is told by whoever reads it to run it.
            return nil
        }
    }
}

extension BotInstance {
    /// The cron expression in an instance's parameters.
    fileprivate func expression(in config: JSONObject) throws(DocumentError) -> String {
        let field = self.config == nil ? "\(folder)/\(BotDirectory.configFile): schedule" : "config.schedule"
        switch config["schedule"] {
        case nil, .null:
            throw DocumentError(id: id.text, field: field, problem: "is missing; expected a cron expression")
        case .string(let text):
            guard !text.utf8.contains(0) else {
                throw DocumentError(id: id.text, field: field, problem: "holds a NUL character")
            }
            return text
        case .some(let other):
            throw DocumentError(
                id: id.text,
                field: field,
                problem: "is \(other.kindName); expected a cron expression as text"
            )
        }
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, where it comes first.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
