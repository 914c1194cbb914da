import Foundation
import Synchronization
import Util

private let began = ContinuousClock.now

/// Progress, for the person who waits: on standard error, with the seconds since the beginning.
func say(_ text: String) {
    let seconds = began.duration(to: .now).components.seconds
    FileHandle.standardError.write(Data("bench: [\(seconds) s] \(text)\n".utf8))
}

/// Runs a body that SIGINT and SIGTERM cancel, so that what was made is removed.
func untilSignalled<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    let task = Task(operation: body)
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            say("signal \(number): removing what was made")
            task.cancel()
        }
        source.resume()
        return source
    }
    defer { for source in sources { source.cancel() } }
    return try await task.value
}

extension Timestamp {
    /// Seconds from another time to this one.
    func seconds(since other: Timestamp) -> Double {
        Double(nanosecondsSince1970 - other.nanosecondsSince1970) / 1e9
    }
}
