import Foundation
import Logging
import Synchronization
import Util

/// What this process holds.
struct Usage {
    let threads: Int
    let descriptors: Int

    static var now: Usage {
        func count(_ folder: String) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0
        }
        return Usage(threads: count("/proc/self/task"), descriptors: count("/proc/self/fd"))
    }
}

/// Log lines, with their metadata, as text.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    func count(of text: String) -> Int { lines.withLock { $0.count { $0.contains(text) } } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}

/// Waits, in small steps, until something is so; false when it isn't within the time.
func becomes(within limit: Duration = .seconds(15), _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { return false }
        pause(.milliseconds(20))
        await Task.yield()
    }
    return true
}

/// Runs something apart from Swift's own threads, which the unit tests of a whole package keep busy: what is measured here
/// is the store.
func onOwnThreads(_ body: () async throws -> Void) async throws {
    try await withTaskExecutorPreference(try BlockingExecutor(name: "mongo-tests", threads: 4)) { try await body() }
}

/// Waits on one of those threads; `Task.sleep` would come back by way of Swift's own.
func pause(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    nanosleep(&time, nil)
}
