import Control
import DirectoryStore
import Logging
import MongoStore

/// Where schedules and their runs are kept, with what notices changes.
struct SchedulingParts: Sendable {
    /// What it is called in health reports.
    let name: String
    let schedules: any ScheduleStore
    let runs: any RunStore
    /// Where events of the platform are written to; nil for a store that only people write.
    let writable: (any BotWriting)?
    /// What notices changes of schedules.
    let sources: [any WakeSource]
    /// What notices runs that others add.
    let runSources: [any WakeSource]
    let check: @Sendable () async throws -> Void
    /// What is to be tried before anything else; it takes no time.
    let begin: (@Sendable () async throws -> Void)?
    /// What is to be done once when the store answers.
    let prepare: (@Sendable () async throws -> Void)?

    init(_ store: RunnerSettings.Store, logger: Logger) throws(StoreError) {
        switch store {
        case .directory(let path):
            let store = try DirectoryScheduleStore(path: path)
            name = "store"
            schedules = store
            runs = try DirectoryRunStore(path: path, logger: logger)
            writable = nil
            sources = [try DirectoryChangeSource(path: path, logger: logger)]
            runSources = [try DirectoryChangeSource.runs(path: path, logger: logger)]
            check = { try await store.check() }
            // Makes the folder of runs, which is watched.
            begin = { try await store.check() }
            prepare = nil
        case .mongo(let uri):
            let connection = try MongoConnection(uri: uri, logger: logger)
            let store = MongoScheduleStore(connection)
            let history = MongoRunStore(connection)
            name = "mongodb"
            schedules = store
            runs = history
            writable = store
            sources = [MongoChangeSource.schedules(connection)]
            runSources = [MongoChangeSource.askedRuns(connection)]
            check = {
                try await store.check()
                try await history.check()
            }
            begin = nil
            prepare = {
                _ = try await store.ensureIndex()
                _ = try await history.ensureIndexes()
            }
        }
    }

    /// The store of a command.
    /// - Throws: `ExitCode`, having said which setting can't be used.
    static func open(_ settings: RunnerSettings) throws -> SchedulingParts {
        do { return try SchedulingParts(settings.store, logger: Logger(label: "runtime")) } catch {
            let error = SettingError(settings.storeSource ?? "--store", error.message)
            throw CommandExit.failing(CommandExit.configuration, error)
        }
    }
}
