import Control
import Logging
import Model
import Synchronization
import Testing

@testable import NATSBus

/// A store that refuses or misses every write.
private struct BrokenStore: BotWriting {
    let code: StoreError.Code
    private var error: StoreError { StoreError(code, "broken on purpose") }
    init(_ code: StoreError.Code) { self.code = code }
    func isEmpty() async throws(StoreError) -> Bool { throw error }
    func create(_ document: BotDocument) async throws(StoreError) { throw error }
    func update(_ document: BotDocument) async throws(StoreError) { throw error }
    func delete(_ id: BotID) async throws(StoreError) { throw error }
}

/// Log lines with their metadata.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: Lines
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

private func delivery(_ text: String, subject: String = "the0.bot.updated") -> Delivery {
    let bytes = Array(text.utf8)
    return Delivery(
        subscription: 1,
        subject: subject,
        reply: nil,
        status: nil,
        size: bytes.count,
        payload: .bytes(bytes)
    )
}

@Suite struct EventWorkerTests {
    private let update = delivery(#"{"id": "b1", "config": {"apiKey": "SECRETVALUE"}}"#)

    @Test func aStoreThatIsDownIsTriedForEver() async {
        let lines = Lines()
        let worker = EventWorker(BrokenStore(.unavailable), lines.logger, refusedAttempts: 5)
        for attempt in [1, 5, 1_000_000] {
            #expect(await worker.work(update, attempt: attempt, sequence: 3) == .failed)
        }
        #expect(worker.counts == BotEventCounts())
        #expect(!lines.text.contains("SECRETVALUE"))
        #expect(lines.text.contains("sequence"))
    }

    @Test func whatTheStoreRefusesIsGivenUpInTheEnd() async {
        let lines = Lines()
        let worker = EventWorker(BrokenStore(.refused), lines.logger, refusedAttempts: 3)
        #expect(await worker.work(update, attempt: 2, sequence: 3) == .failed)
        #expect(await worker.work(update, attempt: 3, sequence: 3) == .rejected)
        #expect(worker.counts == BotEventCounts(rejected: 1))
        #expect(!lines.text.contains("SECRETVALUE"))
    }

    @Test func f38ALargePayloadIsReportedBySizeAlone() async {
        let lines = Lines()
        let worker = EventWorker(BrokenStore(.unavailable), lines.logger, refusedAttempts: 3)
        let large = Delivery(
            subscription: 1,
            subject: "the0.bot.created",
            reply: nil,
            status: nil,
            size: 2_097_152,
            payload: .oversized
        )
        #expect(await worker.work(large, attempt: 1, sequence: 9) == .rejected)
        #expect(lines.text.contains("2097152"))
        #expect(lines.text.contains("the0.bot.created"))
    }
}
