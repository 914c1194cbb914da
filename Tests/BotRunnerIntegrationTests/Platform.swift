import Foundation
import Model
import Synchronization
import TestSupport

/// The services that a the0 installation has beside the runtime, and what its API does with them.
///
/// One for all tests, for starting it takes seconds: tests that use it run one after another.
final class Platform: Sendable {
    let mongo: MongoServer
    let nats: NATSServer
    let objects: S3Server

    private let uploads = Atomic(0)
    private static let starting = Mutex<Task<Platform, any Error>?>(nil)

    private init() async throws {
        async let mongo = MongoServer.start()
        async let nats = NATSServer.start()
        async let objects = S3Server.start()
        (self.mongo, self.nats, self.objects) = try await (mongo, nats, objects)
        try await signed("-X", "PUT", "\(bucket)")
        try await signed("-X", "PUT", "http://\(objects.endpoint)/bot-logs")
        try await signed("-X", "PUT", "http://\(objects.endpoint)/backtests")
    }

    /// The running services, without any bot, event or stream.
    static func cleared() async throws -> Platform {
        let task = starting.withLock { starting in
            let task = starting ?? Task { try await Platform() }
            starting = task
            return task
        }
        let platform = try await task.value
        // A test before this one may have ended with one of them killed.
        for service in [platform.mongo.service, platform.nats.service, platform.objects.service]
        where service.pid == nil {
            try await service.start()
        }
        try await platform.mongo.python(
            """
            db.bots.delete_many({})
            client.bot_scheduler.bot_schedules.delete_many({})
            client.bot_scheduler.runs.delete_many({})
            """
        )
        try await platform.send([("$JS.API.STREAM.DELETE.THE0_EVENTS", "")])
        return platform
    }

    /// The runtime's variables, as an installation sets them.
    var environment: [String: String] {
        objects.environment.merging(["MONGO_URI": mongo.clientURI, "NATS_URL": nats.url]) { own, _ in own }
    }

    // MARK: Bots in the database

    /// Writes documents, in the place of those of the same id.
    func put(_ bots: BotEntry...) async throws {
        try await put(documents: bots.map(\.document))
    }

    /// Writes documents of any content.
    func put(documents: [JSONValue]) async throws {
        try await mongo.python(
            """
            for document in \(Self.python(.array(documents))):
                db.bots.delete_many({"id": document["id"]})
                db.bots.insert_one(document)
            """
        )
    }

    /// Sets fields of a bot's document.
    func set(_ id: String, _ fields: JSONObject) async throws {
        let change: JSONValue = ["id": .string(id), "fields": .object(fields)]
        try await mongo.python(
            """
            change = \(Self.python(change))
            assert db.bots.update_one({"id": change["id"]}, {"$set": change["fields"]}).matched_count == 1
            """
        )
    }

    func delete(_ id: String) async throws {
        try await mongo.python("db.bots.delete_many({\"id\": \(Self.python(.string(id)))})")
    }

    /// A bot's parameters as the database has them; nil when there is no such bot.
    func config(of id: String) async throws -> JSONObject? {
        let text = try await mongo.python(
            """
            found = db.bots.find_one({"id": \(Self.python(.string(id)))})
            print(json.dumps(found and found["config"]))
            """
        )
        return try JSONValue.parse(text.trimmingCharacters(in: .whitespacesAndNewlines)).object
    }

    /// A value as a Python expression, whatever characters it has.
    static func python(_ value: JSONValue) -> String {
        let digits = value.text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "json.loads(bytes.fromhex('\(digits)'))"
    }

    // MARK: Code in the object store

    private var bucket: String { "http://\(objects.endpoint)/custom-bots" }

    /// Stores a code archive.
    /// - Returns: its key, for `filePath`.
    func upload(_ entries: ZipEntry...) async throws -> String {
        try await upload(archive: makeZip(entries))
    }

    /// Stores bytes as a code archive.
    func upload(archive: [UInt8]) async throws -> String {
        let key = "e2e/\(uploads.wrappingAdd(1, ordering: .relaxed).newValue).zip"
        let folder = try TemporaryFolder()
        try Data(archive).write(to: URL(fileURLWithPath: folder.file("code.zip")))
        try await signed("-T", folder.file("code.zip"), "\(bucket)/\(key)")
        return key
    }

    /// The stored lines of a bot, of all days; empty while there are none.
    func storedLines(of id: String) async throws -> [JSONObject] {
        var lines: [JSONObject] = []
        for day in [-1.0, 0].map({ Date(timeIntervalSinceNow: $0 * 86_400) }) {
            let name = day.formatted(.iso8601.year().month().day().dateSeparator(.omitted))
            let url = "http://\(objects.endpoint)/bot-logs/logs/\(id)/\(name).log"
            let answer = try await runCommand(Self.curl(objects) + [url])
            // 22: there is no such object.
            guard answer.isSuccess else { continue }
            lines += try answer.text.split(separator: "\n").map { try JSONValue.parse(String($0)).object ?? [:] }
        }
        return lines
    }

    static func curl(_ objects: S3Server) -> [String] {
        [
            "curl", "-fsS", "-m", "20", "--aws-sigv4", "aws:amz:us-east-1:s3",
            "-u", "\(objects.accessKey):\(objects.secretKey)",
        ]
    }

    private func signed(_ arguments: String...) async throws {
        try await requireCommand(
            Self.curl(objects) + ["-o", "/dev/null"] + arguments
        )
    }

    // MARK: Events

    /// Makes the stream as the API does when it starts.
    func makeStream() async throws {
        let subjects = ["bot", "bot-schedule"].flatMap { kind in
            ["created", "updated", "deleted"].map { JSONValue.string("the0.\(kind).\($0)") }
        }
        let stream: JSONValue = [
            "name": "THE0_EVENTS", "subjects": .array(subjects), "retention": "limits", "storage": "file",
            "max_age": 604_800_000_000_000, "discard": "old", "num_replicas": 1,
        ]
        try await send([("$JS.API.STREAM.CREATE.THE0_EVENTS", stream.text)])
    }

    /// Publishes an event of a bot, as the API does.
    /// - Returns: when, in seconds since 1970.
    @discardableResult
    func publish(_ operation: String, _ bot: BotEntry) async throws -> Double {
        try await send([("the0.bot.\(operation)", bot.event.text)])
    }

    /// Publishes messages one after another on one connection, each once the server has the one before; those for
    /// JetStream's API wait for its answer.
    /// - Returns: when the first was sent, in seconds since 1970.
    @discardableResult
    func send(_ messages: [(subject: String, payload: String)]) async throws -> Double {
        let list = JSONValue.array(messages.map { [.string($0.subject), .string($0.payload)] })
        let script = """
            import json, socket, time
            connection = socket.create_connection(("127.0.0.1", \(nats.port)), 10)
            reader = connection.makefile("rb")
            reader.readline()
            connection.sendall(b'CONNECT {"verbose":false,"pedantic":false}\\r\\nSUB answer 1\\r\\n')
            def wait(start):
                while not (line := reader.readline()).startswith(start):
                    assert line and not line.startswith(b"-ERR"), line
            first = None
            for subject, payload in \(Self.python(list)):
                payload = payload.encode()
                first = first or time.time()
                asks = subject.startswith("$JS.API")
                reply = " answer" if asks else ""
                connection.sendall(f"PUB {subject}{reply} {len(payload)}\\r\\n".encode() + payload + b"\\r\\nPING\\r\\n")
                wait(b"PONG")
                if asks:
                    # An answer may have come before the pong.
                    connection.sendall(b"PING\\r\\n")
                    wait(b"PONG")
            print(first)
            """
        let printed = try await requireCommand(["python3", "-"], input: Data(script.utf8))
        return Double(printed.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }
}
