import Model
import TestSupport
import Testing

@testable import NATSBus

/// The platform's side: a server of the test's own, its stream and its events.
struct Bus {
    let server: NATSServer
    let platform: NATSConnection
    let logs = Logs()

    var url: String { server.url }

    /// Runs a test with a server, and ends the server whatever happens.
    static func with(stream: Bool, _ body: (Bus) async throws -> Void) async throws {
        let server = try await NATSServer.start()
        let logs = Logs()
        let platform = try NATSConnection(.test(server.url), logger: logs.logger)
        let bus = Bus(server: server, platform: platform)
        do {
            _ = try await platform.link()
            if stream { try await bus.makeStream() }
            try await body(bus)
        } catch {
            await platform.close()
            await server.stop()
            throw error
        }
        await platform.close()
        await server.stop()
    }

    /// Makes the stream as the API does.
    func makeStream() async throws {
        let subjects: JSONValue = .array(
            ["bot", "bot-schedule"].flatMap { kind in
                ["created", "updated", "deleted"].map { .string("the0.\(kind).\($0)") }
            }
        )
        let config: JSONValue = [
            "name": "THE0_EVENTS", "subjects": subjects, "retention": "limits", "storage": "file",
            "max_age": 604_800_000_000_000,
            "discard": "old", "num_replicas": 1,
        ]
        let link = try await platform.link()
        try await eventually("the stream is there") {
            // The server refuses while it still removes the files of one that was deleted.
            try await request("$JS.API.STREAM.CREATE.THE0_EVENTS", Array(config.text.utf8))
            return try await link.stream("THE0_EVENTS") != nil
        }
    }

    func deleteStream() async throws {
        try await request("$JS.API.STREAM.DELETE.THE0_EVENTS", [])
        let link = try await platform.link()
        try await eventually("the stream is gone") { try await link.stream("THE0_EVENTS") == nil }
    }

    func deleteConsumer(_ name: String = "runtime-bots") async throws {
        try await request("$JS.API.CONSUMER.DELETE.THE0_EVENTS.\(name)", [])
    }

    /// Publishes an event of a bot.
    func publish(
        _ operation: String,
        _ id: String,
        setting: String = "x",
        kind: BotEventKind = .bot
    ) async throws {
        try await platform.publish("\(kind.prefix)\(operation)", Self.event(id, setting: setting))
    }

    /// A flat event.
    static func event(_ id: String, setting: String = "x") -> [UInt8] {
        let program: JSONValue = [
            "config": ["name": "n", "runtime": "python3.11", "entrypoints": ["bot": "main.py"]], "filePath": "code.zip",
            "version": "1",
        ]
        let config: JSONValue = ["setting": .string(setting), "schedule": "0 9 * * MON"]
        let object: JSONObject = ["id": .string(id), "config": config, "custom": program]
        return Array(JSONValue.object(object).text.utf8)
    }

    private func request(_ subject: String, _ payload: [UInt8]) async throws {
        let link = try await platform.link()
        try await link.call { connection throws(NATSError) in
            try Link.send(connection, subject, reply: "_INBOX.nobody", payload)
        }
        try await link.flush()
    }
}

extension MemoryStore {
    /// What the bot's configuration says.
    func setting(_ id: BotID) -> String? { documents[id]?["config"]?.object?["setting"]?.string }
}
