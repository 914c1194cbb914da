import CLinux
import Glibc
import Model
import Runtime
import Util

/// One run from its start to its end, on one thread.
struct Supervision: ~Copyable {
    private let folder: RunFolder
    private let devNull: Int32
    /// Where the first word is said; closed with it.
    private var report: Int32
    private var output: BotOutput
    private let signals: Int32
    private var bot: Bot?
    /// How the bot ended, as `waitpid` says, and when.
    private var end: (status: Int32, time: Timestamp)?
    /// When the bot was asked to stop, by this process's clock, it must be gone.
    private var deadline: ContinuousClock.Instant?

    private struct Bot {
        let pid: Int32
        let order: LaunchOrder
        let tree: ProcessTree
        let startedAt: Timestamp
    }

    init(folder: RunFolder, devNull: Int32, report: Int32) throws(LocalError) {
        self.folder = folder
        self.devNull = devNull
        self.report = report
        // Every signal that can be: none may end this process before its bot.
        var all = sigset_t()
        sigfillset(&all)
        sigprocmask(SIG_SETMASK, &all, nil)
        signals = signalfd(-1, &all, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard signals >= 0 else { throw LocalError(.exhausted, "no descriptor for signals") }
        output = BotOutput(folder: folder)
    }

    /// Starts the bot, waits for its end and for that of all it left, and writes down how it was.
    mutating func run() throws(LocalError) {
        do throws(LocalError) { try start() } catch {
            say(error.message)
            throw error
        }
        say("started\n")
        while end == nil {
            wait()
            takeSignals()
            output.take()
            if let deadline, ContinuousClock.now >= deadline { killTree() }
        }
        finish()
    }

    private mutating func start() throws(LocalError) {
        let lock = open(folder.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else { throw .system("can't open", folder.lock) }
        // Kept open to the end of this process, which gives it back.
        guard clinux_lock(lock) == 0 else { throw LocalError(.busy, "the run has a supervisor already") }
        // Taken away since it was opened: what has this path now is another run.
        guard SystemFile.isNamed(lock, folder.lock) else { throw LocalError(.busy, "the run isn't there any more") }
        let order = try LaunchOrder.read(folder)
        guard clinux_become_subreaper() == 0 else {
            throw LocalError(.exhausted, "can't become the reaper of a bot's processes")
        }
        let boot = try ProcessIdentity.bootID()
        guard let own = ProcessIdentity(running: getpid()) else {
            throw .system("can't read", "/proc/self/stat", ESRCH)
        }
        try output.open(maximum: order.logFileSize, count: Int(order.logFileCount))
        let made = order.groups.compactMap { ControlGroup.make($0) }
        let tree = ProcessTree(groups: made.map(\.group))
        do throws(LocalError) {
            let limits = Set(made.flatMap(\.limits))
            try SystemFile.create(folder.begun, [], mode: 0o600)
            let pid = try BotStart(
                order: order,
                groups: tree.groups,
                holdsMemory: limits.contains("memory"),
                holdsCPU: limits.contains("cpu")
            )
            .start(input: devNull, output: output.writers)
            output.closeWriters()
            let startedAt = Timestamp.now
            bot = Bot(pid: pid, order: order, tree: tree, startedAt: startedAt)
            let status = RunStatus(
                supervisor: own,
                bot: ProcessLine(pid: pid)?.identity,
                boot: boot,
                startedAt: startedAt,
                limits: limits.sorted()
            )
            do throws(LocalError) { try JSONFile.replace(folder.status, status.json) } catch {
                // Nobody would find it again.
                _ = tree.endDescendants(within: .seconds(10)) { reap() }
                throw error
            }
            // Only now, since the order says all there is to know should this process be killed before.
            unlink(folder.launch)
        } catch {
            if bot == nil { unlink(folder.begun) }
            reap()
            _ = tree.removeGroups()
            throw error
        }
    }

    /// Says the one word that is waited for.
    private mutating func say(_ word: String) {
        guard report >= 0 else { return }
        // Whoever asked may be gone.
        try? SystemFile.write(Array(word.utf8), to: report, "the report")
        close(report)
        report = -1
    }

    private func wait() {
        var polled = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
        for reader in output.readers { polled.append(pollfd(fd: reader, events: Int16(POLLIN), revents: 0)) }
        var milliseconds: Int32 = -1
        if let deadline {
            milliseconds = Int32(clamping: max(0, (deadline - ContinuousClock.now) / .milliseconds(1)).rounded(.up).int)
        }
        poll(&polled, nfds_t(polled.count), milliseconds)
    }

    private mutating func takeSignals() {
        var information = signalfd_siginfo()
        while read(signals, &information, MemoryLayout<signalfd_siginfo>.size) > 0 {
            switch Int32(bitPattern: information.ssi_signo) {
            case SIGCHLD: reap()
            case SIGTERM, SIGINT, SIGHUP, SIGQUIT: stop()
            default: break
            }
        }
    }

    /// Takes note of everything that has ended. Other processes than the bot are those it left behind.
    private mutating func reap() {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            guard pid > 0 else { return }
            if pid == bot?.pid { end = (status, Timestamp.now) }
        }
    }

    /// Asks the bot to end, and sets the time when it must have.
    private mutating func stop() {
        guard let bot, deadline == nil else { return }
        var grace = bot.order.grace
        if let asked = try? JSONFile.read(folder.stop), case .integer(let milliseconds) = asked["grace"] {
            grace = max(0, milliseconds)
        }
        deadline = ContinuousClock.now + .milliseconds(grace)
        for process in targets(bot) { process.send(SIGTERM) }
    }

    /// Who is the bot's own process: bubblewrap doesn't hand signals on.
    private func targets(_ bot: Bot) -> [ProcessIdentity] {
        let started = ProcessIdentity(running: bot.pid).map { [$0] } ?? []
        guard bot.order.isNested else { return started }
        var generation = [bot.pid]
        for _ in 0..<2 {
            let parents = Set(generation)
            guard let all = try? ProcessTable.all() else { return started }
            generation = all.filter { pid in ProcessLine(pid: pid).map { parents.contains($0.parent) } ?? false }
        }
        let inner = generation.compactMap { ProcessIdentity(running: $0) }
        return inner.isEmpty ? started : inner
    }

    private mutating func killTree() {
        guard let bot else { return }
        while !endTree(bot.tree) { usleep(100_000) }
    }

    private mutating func endTree(_ tree: ProcessTree) -> Bool {
        var statuses: [(Int32, Int32)] = []
        let isGone = tree.endDescendants(within: .seconds(5)) {
            var status: Int32 = 0
            while true {
                let pid = waitpid(-1, &status, WNOHANG)
                guard pid > 0 else { return }
                statuses.append((pid, status))
            }
        }
        let now = Timestamp.now
        for (pid, status) in statuses where pid == bot?.pid { end = (status, now) }
        // What they had written before.
        output.take()
        return isGone
    }

    /// Ends what the bot left, reads its last output, and writes down its end.
    private mutating func finish() {
        guard let bot, let end else { return }
        let kills = bot.tree.groups.compactMap(\.memoryKills).max() ?? 0
        while !endTree(bot.tree) { usleep(100_000) }
        output.finish()
        let signal = end.status & 0x7F
        let exit = Exit(
            code: Int(signal == 0 ? (end.status >> 8) & 0xFF : 128 + signal),
            outOfMemory: kills > 0,
            startedAt: bot.startedAt,
            finishedAt: max(end.time, bot.startedAt)
        )
        _ = bot.tree.removeGroups()
        // As long as there is no room for it nobody could know how it ended; the folder's removal ends the waiting.
        var pause: UInt32 = 10_000
        while SystemFile.exists(folder.record) {
            do throws(LocalError) { return try JSONFile.replace(folder.exit, exit.json) } catch { usleep(pause) }
            pause = min(pause * 2, 1_000_000)
        }
    }
}

extension Double {
    /// The nearest whole number that fits.
    fileprivate var int: Int { Int(exactly: self) ?? (self > 0 ? .max : .min) }
}
