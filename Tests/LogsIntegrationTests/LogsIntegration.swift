import Foundation
import HTTP
import Logging
import Model
import ObjectStorage
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

/// Against SeaweedFS in MinIO's place.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LogsIntegration {
    private let folder: TemporaryFolder
    private let executor: BlockingExecutor
    private let client = HTTPClient()

    init() throws {
        folder = try TemporaryFolder()
        executor = try BlockingExecutor(name: "logs")
    }

    private func storage(_ server: S3Server, _ bucket: String) async throws -> S3ObjectStorage {
        let storage = S3ObjectStorage(
            try S3Configuration(
                endpoint: server.endpoint,
                accessKey: server.accessKey,
                secretKey: server.secretKey,
                region: server.region,
                bucket: bucket
            ),
            client: client,
            executor: executor,
            options: S3Options(attempts: 1, deadlines: HTTPDeadlines(connect: .seconds(2), idle: .seconds(5)))
        )
        let script = """
            curl -fsS -m 5 -o /dev/null --aws-sigv4 aws:amz:us-east-1:s3 -u "$CREDENTIALS" -X PUT "$1"
            """
        let result = try await runCommand(
            ["sh", "-c", script, "sh", "http://\(server.endpoint)/\(bucket)"],
            environment: ["CREDENTIALS": "\(server.accessKey):\(server.secretKey)"]
        )
        #expect(result.isSuccess)
        return storage
    }

    private func collector(_ follower: FakeFollower, _ spool: Spool, _ storage: S3ObjectStorage) throws -> LogCollector
    {
        let retry = try Backoff(initial: .milliseconds(50), maximum: .milliseconds(500))
        return LogCollector(
            follower: follower,
            spool: spool,
            storage: storage,
            options: LogCollectorOptions(
                policy: StorePolicy(age: .milliseconds(20), pause: .milliseconds(20)),
                writeDelay: .milliseconds(5),
                followRetry: retry,
                storeRetry: retry
            ),
            executor: executor,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    private func stored(_ storage: S3ObjectStorage, _ id: BotID) async throws -> [String] {
        let key = LogDay(of: noon).key(of: id)
        guard try await storage.info(key) != nil else { return [] }
        return messages(try await storage.getBytes(key, limit: 100 << 20))
    }

    /// The store is killed and hung, and so is the collector, while fifty bots write.
    @Test func f19AndF23NothingIsLostOrDoubledAcrossOutagesOfTheStore() async throws {
        let server = try await S3Server.start()
        let storage = try await storage(server, "bot-logs")
        let follower = FakeFollower(batchSize: 20)
        let ids = (0..<50).map { BotID("bot/\($0) ü") }
        let total = 400
        var written = 0
        for outage in 0..<4 {
            let spool = try Spool(path: folder.file("spool"), now: noon)
            let collector = try collector(follower, spool, storage)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await collector.run() }
                collector.observed(ids.map { run("r \($0)", of: $0) }, of: nil)
                for step in 0..<10 {
                    for id in ids { follower.write("r \(id)", lines(written..<(written + total / 40))) }
                    written += total / 40
                    if step == 3, outage % 2 == 0 { await server.service.kill() }
                    if step == 7, outage % 2 == 0 { try await server.service.start() }
                    if step == 3, outage % 2 == 1 { server.service.hang() }
                    if step == 7, outage % 2 == 1 { try await server.service.resume() }
                    try await Task.sleep(for: .milliseconds(100))
                }
                group.cancelAll()
            }
        }
        let collector = try collector(follower, Spool(path: folder.file("spool"), now: noon), storage)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await collector.run() }
            collector.observed(ids.map { run("r \($0)", of: $0) }, of: nil)
            for id in ids {
                try await eventually(within: .seconds(60)) { try await self.stored(storage, id).count >= total }
            }
            group.cancelAll()
        }
        for id in ids {
            let lines = try await stored(storage, id)
            #expect(lines == (0..<total).map { "line \($0)" }, "\(id)")
        }
        await server.stop()
    }

    /// Small additions to an object of 50 MiB.
    @Test func f22CostGrowsWithWhatIsNew() async throws {
        let server = try await S3Server.start()
        let storage = try await storage(server, "bot-logs")
        let key = LogDay(of: noon).key(of: "a")
        try Data(repeating: 0x61, count: 50 << 20).write(to: URL(fileURLWithPath: folder.file("old")))
        try await storage.put(key, file: folder.file("old"))
        let bot = try Spool(path: folder.file("spool"), now: noon).bot("a", now: noon)
        let storer = DayStorer(storage: storage, executor: executor)
        let before = try sent()
        let additions = 15
        for number in 0..<additions {
            let batch = OutputBatch(
                lines: lines(number..<(number + 1)),
                position: OutputPosition(text: String(number + 1))
            )
            _ = bot.add(batch, of: "r", masking: nil)
            _ = bot.flush(now: noon)
            _ = try await storer.store(bot, now: noon)
        }
        let after = try sent()
        #expect(after - before < additions * 20_000, "\((after - before) / additions) bytes for each")
        let info = try #require(try await storage.info(key))
        let end = try await storage.read((50 << 20)..<info.size, of: info)
        #expect(messages(end) == (0..<additions).map { "line \($0)" })
        await server.stop()
    }

    /// How many bytes this process has written to sockets and files, as the kernel counts.
    private func sent() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/io", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("wchar:") })
        return try #require(Int(line.dropFirst(7)))
    }
}
