import Dispatch
import Foundation
import Synchronization

/// How a process ended and what it wrote.
struct Ended: Sendable {
    var code: Int32
    var stdout: String
    var stderr: String
}

/// A process of the tests whose pipes are drained on threads of their own, so that it can't deadlock.
enum BotProcess {
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
        try process.run()
        let pid = process.processIdentifier
        let deadline = DispatchWorkItem { kill(pid, SIGKILL) }
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
        return await Ended(code: code, stdout: output, stderr: errors)
    }

    /// All of a pipe; `seen` is asked after every piece until it says that it is done.
    private static func read(_ handle: FileHandle, seen: @escaping @Sendable (String) -> Bool) async -> String {
        await withCheckedContinuation { continuation in
            let thread = Thread {
                var data = Data()
                var done = false
                while let piece = try? handle.read(upToCount: 65536), !piece.isEmpty {
                    data.append(piece)
                    if !done { done = seen(String(decoding: data, as: UTF8.self)) }
                }
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
            thread.start()
        }
    }
}
