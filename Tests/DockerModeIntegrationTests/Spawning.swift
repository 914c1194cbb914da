import Testing

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A program that a test has started. Its standard input ends with the test's process, however that ends: programs here take
/// that as the sign to end too, so none outlives a test that was killed.
struct Service: Sendable {
    let process: pid_t
    private let lifeline: Int32

    init(_ program: String, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        // A pair of sockets, since those can be kept from other programs started at the same time.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        // Threads of Swift's pool block signals, and a program started from one would never hear of its children's end.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        pointers.append(nil)
        var process = pid_t()
        let error = posix_spawn(&process, program, &actions, &attributes, pointers, environ)
        close(ends[0])
        try #require(error == 0, "\(program): error \(error)")
        self.process = process
        lifeline = ends[1]
    }

    /// Whether it hasn't ended by itself.
    var isRunning: Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo == 0
    }

    /// Lets it end, and waits for that.
    func stop() {
        close(lifeline)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    /// Waits until it ends by itself; its status.
    func wait() -> Int32 {
        var status: Int32 = 0
        waitpid(process, &status, 0)
        close(lifeline)
        return status
    }
}

/// Runs a shell command to its end.
func shell(_ command: String) throws {
    let status = try Service("/bin/sh", ["-c", command]).wait()
    try #require(status == 0, "\(command): status \(status)")
}

/// A new folder under `/tmp`.
func temporaryFolder(_ name: String) throws -> String {
    var template = Array("/tmp/the0-\(name)-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
