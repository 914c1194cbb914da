import Entrypoints
import Glibc
public import Logging
public import Model
public import Runtime
import Synchronization
public import Util

/// Runs bots as processes of this machine, for development without a container engine. It does **not** isolate them.
///
/// Each run has a folder of its own, with a fresh copy of the code, and a supervisor: a process that outlives this one. A
/// runner keeps no truth of its own; the folders are it, and who runs is known by process number and start time.
public final class LocalRunner: Runner {
    let data: DataFolder
    let instance: String
    let code: any CodeProvider
    let settings: LocalSettings
    let supervisor: [String]
    let interpreters: Interpreters
    let bubblewrap: String?
    let groups: ControlGroups
    let worker: Worker
    let events: SystemEvents
    let logger: Logger
    let finalReader = Mutex<(any FinalOutputReading)?>(nil)

    /// A runner over a directory, which is made when missing.
    ///
    /// - Parameters:
    ///   - directory: where runs and what bots keep lie. For this user only: whoever may write there decides what bots run.
    ///   - instance: tells this runner's bots from those of others over the same directory.
    ///   - code: brings the bots' code to this machine.
    ///   - settings: what an operator can choose.
    ///   - supervisor: an absolute path of a program that calls ``LocalSupervisor/run(_:)``, and its arguments before those
    ///     that are handed over; `runtime local-supervise` is one.
    ///   - path: the folders that bots' programs are looked for in, separated by colons.
    ///   - executor: where calls block.
    ///   - logger: told of starts, ends and troubles; never of a bot's environment.
    /// - Throws: `RunnerError` when the directory or what is asked for besides can't be had.
    public static func open(
        directory: String,
        instance: String = "default",
        code: any CodeProvider,
        settings: LocalSettings = LocalSettings(),
        supervisor: [String],
        path: String,
        executor: BlockingExecutor,
        logger: Logger
    ) async throws(RunnerError) -> LocalRunner {
        let worker = Worker(executor: executor)
        let doing = "setting up bots as local processes"
        do throws(LocalError) {
            return try await worker.run { () throws(LocalError) in
                guard let program = supervisor.first, program.hasPrefix("/"), access(program, X_OK) == 0 else {
                    throw LocalError(
                        .program,
                        "the supervisor's program \(supervisor.first ?? "") can't be run; expected an absolute path"
                    )
                }
                let data = DataFolder(directory: try absolute(directory), instance: instance)
                for folder in [data.path, data.runs, data.staging, data.states, data.locks] {
                    try SystemFile.makeFolders(folder)
                    guard SystemFile.isPrivate(folder) else {
                        throw LocalError(
                            .file,
                            "the folder \(folder) is another user's or can be written by others; expected one of our own"
                        )
                    }
                }
                let visible = settings.confinement == .bubblewrap ? Bubblewrap.visible(path: path) : path
                let interpreters = Interpreters(path: visible)
                var bubblewrap: String?
                if settings.confinement == .bubblewrap {
                    guard let found = Interpreters(path: path).find("bwrap") else {
                        throw LocalError(.program, "bubblewrap is asked for, but there is no 'bwrap' on PATH (\(path))")
                    }
                    bubblewrap = found
                }
                return LocalRunner(
                    data,
                    instance,
                    code,
                    settings,
                    supervisor,
                    interpreters,
                    bubblewrap,
                    settings.usesControlGroups ? try ControlGroups.probe() : .none,
                    worker,
                    try SystemEvents(),
                    logger
                )
            }
        } catch {
            throw error.runnerError(.unavailable, doing)
        }
    }

    private init(
        _ data: DataFolder,
        _ instance: String,
        _ code: any CodeProvider,
        _ settings: LocalSettings,
        _ supervisor: [String],
        _ interpreters: Interpreters,
        _ bubblewrap: String?,
        _ groups: ControlGroups,
        _ worker: Worker,
        _ events: SystemEvents,
        _ logger: Logger
    ) {
        self.data = data
        self.instance = instance
        self.code = code
        self.settings = settings
        self.supervisor = supervisor
        self.interpreters = interpreters
        self.bubblewrap = bubblewrap
        self.groups = groups
        self.worker = worker
        self.events = events
        self.logger = logger
    }

    private static func absolute(_ path: String) throws(LocalError) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let current = getcwd(nil, 0) else { throw .system("can't find the working folder for", path) }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }

    /// Sets who reads an ended run's output before the run is removed or replaced; nil is nobody.
    public func readFinally(with reader: (any FinalOutputReading)?) { finalReader.withLock { $0 = reader } }

    /// Says once what this way of running bots is and isn't, and which limits hold.
    public func announce() {
        let confined = settings.confinement == .bubblewrap
        logger.warning(
            confined
                ? "bots run as local processes shut in by bubblewrap: they share this machine's network and user"
                : "bots run as local processes, which isolates nothing: they can do what this user can; for development only"
        )
        func holder(_ controller: String, otherwise: String) -> Logger.MetadataValue {
            groups.limits.contains(controller) ? "control group" : "\(otherwise)"
        }
        logger.info(
            "limits of bots",
            metadata: [
                "memory": holder("memory", otherwise: "each process by itself (RLIMIT_DATA)"),
                "processes": holder("pids", otherwise: "none"),
                "cpu": holder("cpu", otherwise: "none, lower priority"),
                "descriptors": "\(settings.descriptorLimit) of each process",
                "directory": "\(data.path)",
            ]
        )
    }

    /// Asks whether the directory can be used.
    public func ping() async throws(RunnerError) {
        let folder = data.staging
        do throws(LocalError) {
            try await worker.run { () throws(LocalError) in
                guard access(folder, R_OK | W_OK | X_OK) == 0 else { throw .system("can't write to", folder) }
            }
        } catch {
            throw error.runnerError(.unavailable, "asking for the directory of runs")
        }
    }

    /// The runs of a kind, ended ones too.
    public func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try await listed { () throws(LocalError) in
            try self.states(of: kind).map { state throws(LocalError) in try state.observed() }
        }
    }

    /// The runs of one bot, ended ones too.
    public func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await listed { () throws(LocalError) in
            if kind == .live {
                let name = DataFolder.name(of: kind, id: id)
                guard let state = try RunState.read(self.data.run(name)) else { return [] }
                return [try state.observed()]
            }
            return try self.states(of: kind).filter { $0.record.id == id }.map { state throws(LocalError) in
                try state.observed()
            }
        }
    }

    private func listed(
        _ read: @Sendable () throws(LocalError) -> [ObservedRun]
    ) async throws(RunnerError) -> [ObservedRun] {
        do throws(LocalError) { return try await worker.run(read) } catch {
            throw error.runnerError(.unavailable, "listing local runs")
        }
    }

    /// The lock of a name, or nil when somebody else has it.
    func tryLock(_ name: String) async throws(LocalError) -> RunLock? {
        let path = "\(data.locks)/\(name)"
        return try await worker.run { () throws(LocalError) in try RunLock.take(path) }
    }

    /// Every run of a kind; blocks.
    func states(of kind: ExecutableKind) throws(LocalError) -> [RunState] {
        guard let names = try SystemFile.names(in: data.runs) else { throw .system("can't list", data.runs, ENOENT) }
        var states: [RunState] = []
        for name in names where name.hasPrefix("\(DataFolder.prefix(kind))-") {
            if let state = try RunState.read(data.run(name)) { states.append(state) }
        }
        return states
    }
}
