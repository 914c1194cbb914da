import Dispatch
import Foundation
import Glibc

/// How a process ended and what it wrote.
struct Ended: Sendable {
    var code: Int32
    var stdout: String
    var stderr: String
    /// Whether processes of its group ran on after it: without `exec`, a signal only reaches the shell.
    var leftProcesses: Bool
}

/// A process of the tests whose pipes are drained on threads of their own, so that it can't deadlock.
enum BotProcess {
    /// Held while a file is written and while a process is started: a child made in between would hold the file open for writing
    /// until it has become another program, and nobody could execute it meanwhile (`ETXTBSY`).
    static let files = NSLock()

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - environment: the whole environment.
    ///   - terminateAfter: SIGTERM is sent once stdout has this text.
    ///   - limit: seconds after which the process is killed, which shows as code 137.
    static func run(
        _ arguments: [String],
        environment: [String: String],
        directory: URL,
        terminateAfter marker: String? = nil,
        limit: Double = 60
    ) async throws -> Ended {
        let process = Process()
        process.executableURL = URL(filePath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.environment = environment
        process.currentDirectoryURL = directory
        let stdout = Pipe()
        let stderr = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = stdout
        process.standardError = stderr
        let ended = AsyncStream<Int32>.makeStream()
        process.terminationHandler = { process in
            let signalled = process.terminationReason == .uncaughtSignal
            ended.continuation.yield(process.terminationStatus + (signalled ? 128 : 0))
            ended.continuation.finish()
        }
        try await start(process)
        let pid = process.processIdentifier
        let deadline = DispatchWorkItem { kill(-pid, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: deadline)
        async let output = read(stdout.fileHandleForReading) { text in
            guard let marker, text.contains(marker) else { return false }
            kill(pid, SIGTERM)
            return true
        }
        async let errors = read(stderr.fileHandleForReading) { _ in true }
        var code: Int32 = -1
        for await status in ended.stream { code = status }
        deadline.cancel()
        // Foundation gives the process a group of its own.
        let left = kill(-pid, SIGKILL) == 0
        return await Ended(code: code, stdout: output, stderr: errors, leftProcesses: left)
    }

    /// Starts it on a thread without blocked signals: Dispatch's threads block most, and children inherit that.
    private static func start(_ process: Process) async throws {
        let launch = Launch(process: process)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread {
                var none = sigset_t()
                sigemptyset(&none)
                pthread_sigmask(SIG_SETMASK, &none, nil)
                continuation.resume(with: Result { try files.withLock { try launch.process.run() } })
            }.start()
        }
    }

    /// Safety: handed to the one thread that starts the process while its owner waits.
    private struct Launch: @unchecked Sendable {
        let process: Process
    }

    /// All of a pipe; `seen` is asked after every piece until it says that it is done.
    private static func read(_ handle: FileHandle, seen: @escaping @Sendable (String) -> Bool) async -> String {
        await withCheckedContinuation { continuation in
            Thread {
                var data = Data()
                var done = false
                var piece = [UInt8](repeating: 0, count: 65536)
                // FileHandle's own read would wait for all of the bytes.
                while case let count = Glibc.read(handle.fileDescriptor, &piece, piece.count), count > 0 {
                    data.append(contentsOf: piece[..<count])
                    if !done { done = seen(String(decoding: data, as: UTF8.self)) }
                }
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }.start()
        }
    }
}
