#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a program said before it ended.
struct ProgramAnswer: Sendable {
    /// The signal's number plus 128 where one ended it.
    let exitCode: Int32
    let output: [UInt8]
}

/// Runs a small program, found as shells find it, and reads what it prints; blocks. Its standard error goes nowhere.
/// - Parameters:
///   - input: a few KiB at most, so that a socket takes them at once.
///   - patience: how long it may take; then it and what it started are killed.
/// - Throws: ``DockerError`` with code `setting` when it can't be started, doesn't end or prints more than 1 MiB.
func runProgram(
    _ name: String,
    _ arguments: [String],
    input: [UInt8],
    within patience: Duration
) throws(DockerError) -> ProgramAnswer {
    let deadline = ContinuousClock.now.advanced(by: patience)
    // One socket for both directions: unlike pipes, sockets can be had that no program started meanwhile inherits.
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
        throw DockerError(.failed, "\(name): no socket for it: \(String(cString: strerror(errno)))")
    }
    let (ours, theirs) = (ends[0], ends[1])
    defer { close(ours) }
    let pid: pid_t
    do throws(DockerError) { pid = try spawn(name, arguments, standardInputAndOutput: theirs) } catch {
        close(theirs)
        throw error
    }
    close(theirs)
    // A program that doesn't listen is told apart by its answer.
    _ = send(ours, input, input.count, Int32(MSG_NOSIGNAL))
    shutdown(ours, Int32(SHUT_WR))
    guard let output = read(ours, until: deadline), let status = wait(pid, until: deadline) else {
        kill(-pid, SIGKILL)
        _ = wait(pid, until: nil)
        throw DockerError(.setting, "\(name): gives no whole answer within \(patience)")
    }
    let signal = status & 0x7F
    return ProgramAnswer(exitCode: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: output)
}

private func spawn(
    _ name: String,
    _ arguments: [String],
    standardInputAndOutput socket: Int32
) throws(DockerError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, socket, 0)
    posix_spawn_file_actions_adddup2(&actions, socket, 1)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Signals that are blocked or ignored here mustn't be so there.
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
        &attributes,
        Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    )
    var words: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var pid = pid_t()
    let error = posix_spawnp(&pid, name, &actions, &attributes, words, environ)
    guard error == 0 else {
        throw DockerError(.setting, "\(name): can't be started: \(String(cString: strerror(error)))")
    }
    return pid
}

/// All there is to read; nil when it doesn't end in time, or is too much.
private func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while true {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero, result.count <= 1 << 20 else { return nil }
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let (seconds, attoseconds) = left.components
        let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1
        guard poll(&watched, 1, Int32(clamping: milliseconds)) > 0 else { continue }
        let count = read(descriptor, &piece, piece.count)
        // Reset: it ended without having read its input; what it wrote came before.
        if count == 0 || (count < 0 && errno == ECONNRESET) { return result }
        if count > 0 { result += piece.prefix(count) }
        if count < 0, errno != EINTR, errno != EAGAIN { return nil }
    }
}

/// The status of a program that has ended; nil when it hasn't in time.
private func wait(_ pid: pid_t, until deadline: ContinuousClock.Instant?) -> Int32? {
    var status: Int32 = 0
    while true {
        let ended = waitpid(pid, &status, deadline == nil ? 0 : WNOHANG)
        if ended == pid { return status }
        if ended < 0, errno != EINTR { return nil }
        guard let deadline else { continue }
        guard ContinuousClock.now < deadline else { return nil }
        usleep(2000)
    }
}
