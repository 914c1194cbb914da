import Dispatch
import Foundation
import Synchronization

/// How a process ended.
public enum Termination: Sendable, Equatable {
    /// It exited with this code.
    case exited(Int32)
    /// A signal ended it.
    case signalled(Int32)
}

/// A process that can't outlive this one: the kernel kills it when the test process ends, however that ends.
///
/// The kernel ties that to the *thread* which started the child, and threads of pools come and go: each child therefore
/// has a thread of its own, which starts it and waits for it.
public final class ChildProcess: Sendable {
    /// Its process id, also that of its process group.
    public let pid: Int32
    /// The command, for messages.
    public let command: [String]

    private let state: State

    private final class State: Sendable {
        struct Value {
            var termination: Termination?
            var waiters: [Int: CheckedContinuation<Termination?, Never>] = [:]
            var nextWaiter = 0
        }
        let value = Mutex(Value())
    }

    /// Starts a process in a process group of its own.
    /// - Parameters:
    ///   - command: the program, looked up in PATH, and its arguments.
    ///   - environment: added to this process's own; a nil value removes a variable.
    ///   - folder: the working folder; this process's own by default.
    ///   - input: a file for standard input.
    ///   - output: a file that standard output is appended to.
    ///   - errors: a file that standard error is appended to; the one of standard output by default.
    /// - Throws: `FixtureError` when the program can't be started.
    public init(
        _ command: [String],
        environment: [String: String?] = [:],
        folder: String? = nil,
        input: String = "/dev/null",
        output: String = "/dev/null",
        errors: String? = nil
    ) throws {
        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        // Each becomes the next: `setpriv` sets the signal that the kernel sends when the parent ends, `env` the folder.
        let prefix = ["setpriv", "--pdeathsig", "KILL", "--"] + (folder.map { ["env", "--chdir=\($0)"] } ?? [])
        let request = SpawnRequest(
            arguments: prefix + [try Self.located(command)] + command.dropFirst(),
            environment: variables.map { "\($0.key)=\($0.value)" },
            input: input,
            output: output,
            errors: errors
        )
        let state = State()
        let outcome = Outcome()
        let thread = Thread {
            let result = request.spawn()
            outcome.result.withLock { $0 = result }
            outcome.isKnown.signal()
            if case .success(let pid) = result { Self.reap(pid, state) }
        }
        thread.stackSize = 1 << 18
        thread.start()
        outcome.isKnown.wait()
        guard let result = outcome.result.withLock({ $0 }) else { throw FixtureError("\(command) was not started") }
        self.pid = try result.get()
        self.command = command
        self.state = state
    }

    deinit {
        killGroup()
    }

    /// How it ended; nil while it runs.
    public var termination: Termination? {
        state.value.withLock { $0.termination }
    }

    /// Sends a signal to the process, not to its children; nothing when it has ended.
    public func send(_ signal: Int32) {
        // Under the lock: the process is not reaped meanwhile, so its number is not somebody else's.
        state.value.withLock { if $0.termination == nil { _ = kill(pid, signal) } }
    }

    /// Stops it with SIGSTOP; returns when all its threads stand, which on a busy machine is some time after the signal.
    public func stop() {
        send(SIGSTOP)
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WSTOPPED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Kills the process and those it started, as far as they stayed in its process group.
    public func killGroup() {
        state.value.withLock { if $0.termination == nil { _ = kill(-pid, SIGKILL) } }
    }

    /// Waits until it has ended.
    /// - Returns: how; nil when the calling task was cancelled before.
    public func ended() async -> Termination? {
        let number = state.value.withLock { value in
            value.nextWaiter += 1
            return value.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Termination?? = state.value.withLock { value in
                    if let termination = value.termination { return termination }
                    if Task.isCancelled { return .some(nil) }
                    value.waiters[number] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            state.value.withLock { $0.waiters.removeValue(forKey: number) }?.resume(returning: nil)
        }
    }

    /// Waits until it has ended, at most for a time.
    /// - Returns: how it ended; nil when it still runs.
    public func ended(within limit: Duration) async -> Termination? {
        await withTaskGroup(of: Termination?.self) { group in
            group.addTask { await self.ended() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// Waits for the process on its own thread, and tells everyone who asked.
    private static func reap(_ pid: pid_t, _ state: State) {
        ProcessExit.remember(processGroup: pid)
        var info = siginfo_t()
        // Only looked at: its number stays taken until nobody can signal it any more.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) == -1 && errno == EINTR {}
        let (waiters, termination) = state.value.withLock { value in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            let signal = status & 0x7f
            let termination: Termination = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
            value.termination = termination
            defer { value.waiters = [:] }
            return (value.waiters, termination)
        }
        ProcessExit.forget(processGroup: pid)
        for waiter in waiters.values { waiter.resume(returning: termination) }
    }

    /// The program's absolute path; looked up here, so that a missing one is known before anything starts.
    private static func located(_ command: [String]) throws -> String {
        guard let name = command.first else { throw FixtureError("an empty command can't be started") }
        if name.contains("/") {
            guard access(name, X_OK) == 0 else { throw FixtureError("\(name) is no program that can be started") }
            return name
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let folders: [Substring] = path.split(separator: ":") + ["/usr/sbin", "/sbin"]
        for folder in folders {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        throw FixtureError("there is no program '\(name)' in PATH: run scripts/setup --tests")
    }
}

/// What the thread of a child hands to the one that asked for it.
private final class Outcome: Sendable {
    let result = Mutex<Result<pid_t, FixtureError>?>(nil)
    let isKnown = DispatchSemaphore(value: 0)
}
