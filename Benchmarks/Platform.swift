import Foundation
import Model
import TestSupport

/// The services that a the0 installation has beside the runtime: MongoDB's stand-in, NATS with JetStream, S3.
final class Platform: Sendable {
    let mongo: MongoServer
    let nats: NATSServer
    let objects: S3Server

    /// Starts them, with the stream and the buckets that the platform's API makes.
    init() async throws {
        say("starting MongoDB, NATS and S3")
        async let mongo = MongoServer.start()
        async let nats = NATSServer.start()
        async let objects = S3Server.start()
        (self.mongo, self.nats, self.objects) = try await (mongo, nats, objects)
        for bucket in ["custom-bots", "bot-logs", "backtests"] { try await signed("-X", "PUT", url(bucket)) }
        let subjects = ["bot", "bot-schedule"].flatMap { kind in
            ["created", "updated", "deleted"].map { JSONValue.string("the0.\(kind).\($0)") }
        }
        let stream: JSONValue = [
            "name": "THE0_EVENTS", "subjects": .array(subjects), "retention": "limits", "storage": "file",
            "max_age": 604_800_000_000_000, "discard": "old", "num_replicas": 1,
        ]
        try NATSPublisher(port: self.nats.port).ask("$JS.API.STREAM.CREATE.THE0_EVENTS", stream.text)
    }

    /// Runs a body with the services.
    static func with<Result>(_ body: (Platform) async throws -> Result) async throws -> Result {
        let platform = try await Platform()
        do {
            let result = try await body(platform)
            await platform.stop()
            return result
        } catch {
            await platform.stop()
            throw error
        }
    }

    private func stop() async {
        await mongo.stop()
        await nats.stop()
        await objects.stop()
    }

    /// The runtime's settings for them.
    var environment: [String: String] {
        objects.environment.merging(["MONGO_URI": mongo.uri, "NATS_URL": nats.url]) { own, _ in own }
    }

    func publisher() throws -> NATSPublisher { try NATSPublisher(port: nats.port) }

    /// Puts live bots in the place of all that there are.
    func replaceBots(_ documents: [JSONValue], _ folder: TemporaryFolder) async throws {
        try await replace("bot_runner.bots", documents, folder)
    }

    /// Puts schedules in the place of all that there are.
    func replaceSchedules(_ documents: [JSONValue], _ folder: TemporaryFolder) async throws {
        try await replace("bot_scheduler.bot_schedules", documents, folder)
    }

    private func replace(_ collection: String, _ documents: [JSONValue], _ folder: TemporaryFolder) async throws {
        let file = try folder.write("documents.jsonl", documents.map { "\($0.text)\n" }.joined())
        try await mongo.python(
            """
            collection = client.\(collection)
            collection.delete_many({})
            with open("\(file)") as file:
                documents = [json.loads(line) for line in file]
            for start in range(0, len(documents), 1000):
                collection.insert_many(documents[start:start + 1000])
            assert collection.count_documents({}) == len(documents)
            """
        )
    }

    /// Stores a program as a code archive.
    func upload(program: String, key: String, _ folder: TemporaryFolder) async throws {
        let archive = makeZip([.file("main.py", program)])
        let file = folder.file("code.zip")
        try Data(archive).write(to: URL(fileURLWithPath: file))
        try await signed("-T", file, "\(url("custom-bots"))/\(key)")
    }

    /// An object's text; nil when there is none.
    func object(_ bucket: String, _ key: String) async throws -> String? {
        let result = try await runCommand(Self.curl + credentials + ["\(url(bucket))/\(key)"])
        // 22: the server answers with an error.
        if result.termination == .exited(22) { return nil }
        guard result.isSuccess else { throw FixtureError("\(bucket)/\(key): \(result.errorText)") }
        return result.text
    }

    private func url(_ bucket: String) -> String { "http://\(objects.endpoint)/\(bucket)" }

    private static let curl = ["curl", "-fsS", "-m", "30", "--aws-sigv4", "aws:amz:us-east-1:s3"]
    private var credentials: [String] { ["-u", "\(objects.accessKey):\(objects.secretKey)"] }

    private func signed(_ arguments: String...) async throws {
        try await requireCommand(Self.curl + credentials + ["-o", "/dev/null"] + arguments)
    }
}

/// A bot as the platform writes it.
struct BotEntry: Sendable {
    let id: String
    let key: String
    var config: JSONObject = ["symbol": "BTC/USDT", "interval": 60, "amount": 0.25, "exchange": "paper"]
    var type = "realtime"

    private var custom: JSONValue {
        [
            "version": "1.0.0", "filePath": .string(key), "createdAt": "2026-01-02T03:04:05Z",
            "updatedAt": "2026-01-02T03:04:05Z",
            "config": [
                "name": "bench", "description": "measured", "runtime": "python3.11", "version": "1.0.0",
                "author": "bench", "type": .string(type), "entrypoints": ["bot": "main.py"],
            ],
        ]
    }

    /// The document in MongoDB.
    var document: JSONObject { ["id": .string(id), "config": .object(config), "custom": custom, "segment_id": 0] }

    /// The flat event.
    var event: String { JSONValue(["id": .string(id), "config": .object(config), "custom": custom]).text }
}

extension JSONValue {
    /// An object of these members.
    init(_ members: JSONObject) { self = .object(members) }
}
