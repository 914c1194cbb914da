import CLinux
import Glibc

/// The process that looks after one run: `runtime local-supervise`, or any program of yours that calls this.
///
/// It outlives the runner, as an engine's shim does, and keeps all that can only be known by a parent: the output, the exit
/// code, the whole tree.
public enum LocalSupervisor {
    /// Does what the arguments say, until it is done.
    ///
    /// To be called on the main thread of a process that has done nothing else: it blocks signals and forks.
    /// - Parameter arguments: `launch FOLDER` or `run FOLDER`, as ``LocalRunner`` gives them.
    /// - Returns: the exit code to end with.
    public static func run(_ arguments: [String]) -> Int32 {
        guard arguments.count == 2, arguments[1].hasPrefix("/") else {
            return fail("expected \"launch FOLDER\" or \"run FOLDER\": this is started by a runner, not by people")
        }
        // Signals go to any thread that doesn't block them, and a fork takes only one along.
        guard (try? SystemFile.names(in: "/proc/self/task"))?.count == 1 else {
            return fail("a supervisor needs to be alone: it must be called before anything starts a thread")
        }
        let folder = RunFolder(path: arguments[1])
        do throws(LocalError) {
            switch arguments[0] {
            case "launch": try launch(folder)
            case "run":
                let report = dup(STDOUT_FILENO)
                let devNull = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
                for descriptor in Int32(0)...2 { dup2(devNull, descriptor) }
                if report >= 0 { _ = fcntl(report, F_SETFD, FD_CLOEXEC) }
                var supervision = try Supervision(folder: folder, devNull: devNull, report: report)
                try supervision.run()
            default: return fail("expected launch or run, not \(arguments[0])")
            }
            return 0
        } catch {
            return fail(error.message)
        }
    }

    /// Starts the supervisor in a session of its own and hands on its first word, so that whoever waits for this process isn't
    /// the supervisor's parent and ends when it has to.
    private static func launch(_ folder: RunFolder) throws(LocalError) {
        var ends: [Int32] = [0, 0]
        guard clinux_pipe(&ends) == 0 else { throw LocalError(.exhausted, "no pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSID, which Swift's module doesn't have.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80)
        var arguments = (CommandLine.arguments.dropLast(2) + ["run", folder.path]).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let result = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &arguments, environ)
        close(ends[1])
        guard result == 0 else {
            throw LocalError(.program, "the supervisor can't be started: \(String(cString: strerror(result)))")
        }
        var word: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(ends[0], &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            word += buffer[..<count]
        }
        guard word == Array("started\n".utf8) else {
            let text = String(decoding: word, as: UTF8.self)
            throw LocalError(.program, text.isEmpty ? "the supervisor ended without a word" : text)
        }
        try? SystemFile.write(word, to: STDOUT_FILENO, "standard output")
    }

    private static func fail(_ message: String) -> Int32 {
        try? SystemFile.write(Array("\(message)\n".utf8), to: STDERR_FILENO, "standard error")
        return 1
    }
}
