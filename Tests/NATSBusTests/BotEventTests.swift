import Control
import Model
import Testing

@testable import NATSBus

/// A bot's program as the API sends it.
let customText = """
    {"config": {"name": "n", "runtime": "python3.11", "type": "realtime", "entrypoints": {"bot": "main.py"}, "extra": 1},
     "filePath": "u/b/1.zip", "version": "1.0.0", "createdAt": "2025-01-01T00:00:00Z", "updatedAt": "2025-01-02T00:00:00Z"}
    """

private func decode(_ subject: String, _ text: String) throws(BotEventError) -> BotEvent {
    try BotEvent(subject: "the0.bot.\(subject)", payload: Array(text.utf8))
}

private func object(_ text: String) throws -> JSONValue { try JSONValue.parse(text) }

@Suite struct BotEventTests {
    @Test func flatCreationCarriesConfigAndProgram() throws {
        let text = #"{"id": "b1", "config": {"key": 9007199254740993}, "custom": \#(customText), "unknown": [1]}"#
        let expected: JSONObject = ["config": ["key": 9_007_199_254_740_993], "custom": try object(customText)]
        #expect(try decode("created", text) == .created(BotDocument(id: "b1", fields: expected)))
    }

    @Test func updateMayCarryOnePartAndEnabled() throws {
        let event = try decode("updated", #"{"id": "b1", "config": {"a": null}, "enabled": false, "custom": null}"#)
        #expect(event == .updated(BotDocument(id: "b1", fields: ["config": ["a": nil], "enabled": false])))
    }

    @Test func deletionNeedsNothingButItsID() throws {
        #expect(try decode("deleted", #"{"id": "b1", "config": "whatever"}"#) == .deleted("b1"))
        #expect(try decode("deleted", #"{"type": "bot.deleted", "entity_id": "b1"}"#) == .deleted("b1"))
        #expect(try decode("deleted", #"{"type": "bot.deleted", "entity_id": "b1", "data": null}"#) == .deleted("b1"))
    }

    @Test(arguments: ["created", "bot.created", "BOT_CREATE", "the0.bot.created"])
    func wrappedFormIsTheFlatOneInside(type: String) throws {
        let data = #"{"id": "b1", "config": {}, "custom": \#(customText)}"#
        let text = #"{"type": "\#(type)", "entity_id": "b1", "data": \#(data), "timestamp": "2025-01-01T00:00:00Z"}"#
        #expect(try decode("created", text) == decode("created", data))
    }

    @Test func wrappedFormTakesTheIDFromEitherPlace() throws {
        #expect(try decode("updated", #"{"entity_id": "b1", "data": {"config": {}}}"#).id == "b1")
        #expect(try decode("updated", #"{"type": "updated", "data": {"id": "b2", "config": {}}}"#).id == "b2")
    }

    @Test func flatFormMayHaveAFieldCalledData() throws {
        let event = try decode("updated", #"{"id": "b1", "data": 5, "config": {}}"#)
        #expect(event == .updated(BotDocument(id: "b1", fields: ["config": [:]])))
    }

    @Test func idsAreAnyText() throws {
        for id in ["../..", "a b", "ü", "'; drop", "$x.y"] {
            #expect(try decode("deleted", JSONValue.object(["id": .string(id)]).text).id == BotID(id))
        }
    }

    /// Subject, payload, the id that must be named, words that must be in the message.
    static let unusable: [(String, String, String?, String)] = [
        ("created", "", nil, "no valid JSON at byte 0"),
        ("created", "SECRETVALUE", nil, "no valid JSON"),
        ("created", #"{"id": "b1", "config": {"k": "SECRETVALUE}"#, nil, "isn't closed"),
        ("created", #"["SECRETVALUE"]"#, nil, "is an array; expected an object"),
        ("created", "null", nil, "is null; expected an object"),
        ("created", #"{}"#, nil, "id is missing"),
        ("created", #"{"id": 5, "config": {"k": "SECRETVALUE"}}"#, nil, "id is a number; expected text"),
        ("created", #"{"id": "", "config": {}}"#, nil, "is empty"),
        ("created", #"{"id": "a\u0000b", "config": {}}"#, "a\0b", "NUL"),
        ("created", #"{"id": {"k": "SECRETVALUE"}}"#, nil, "id is an object"),
        ("created", #"{"id": "b1"}"#, "b1", "nothing to write"),
        ("created", #"{"id": "b1", "config": {"k": "SECRETVALUE"}}"#, "b1", "custom is missing"),
        ("created", #"{"id": "b1", "config": "SECRETVALUE"}"#, "b1", "config is a string; expected an object"),
        ("updated", #"{"id": "b1", "config": ["SECRETVALUE"]}"#, "b1", "config is an array; expected an object"),
        ("updated", #"{"id": "b1", "custom": "SECRETVALUE"}"#, "b1", "custom is a string; expected an object"),
        ("updated", #"{"id": "b1", "custom": {"filePath": "SECRETVALUE"}}"#, "b1", "custom.config is missing"),
        (
            "updated",
            #"{"id": "b1", "custom": {"config": {"runtime": 5, "entrypoints": {"bot": "m"}}, "filePath": "f"}}"#,
            "b1", "custom.config.runtime is a number; expected text"
        ),
        ("updated", #"{"id": "b1", "enabled": "SECRETVALUE"}"#, "b1", "enabled is a string; expected a boolean"),
        ("updated", #"{"entity_id": "b1"}"#, "b1", "data is missing"),
        ("updated", #"{"entity_id": "b1", "data": "SECRETVALUE"}"#, "b1", "data is a string"),
        ("updated", #"{"entity_id": "b1", "data": {"id": "b2", "config": {}}}"#, "b2", "another bot"),
        ("updated", #"{"type": "bot.deleted", "entity_id": "b1", "data": {"config": {}}}"#, "b1", "another event"),
        ("updated", #"{"type": "bot-schedule.updated", "entity_id": "b1", "data": {}}"#, "b1", "another event"),
        ("updated", #"{"type": 1, "entity_id": "b1", "data": {}}"#, "b1", "type is a number"),
        ("updated", #"{"type": "updated", "data": {"config": {"k": "SECRETVALUE"}}}"#, nil, "data.id is missing"),
        ("exploded", #"{"id": "b1"}"#, nil, "unknown"),
        ("", #"{"id": "b1"}"#, nil, "unknown"),
        ("created.SECRETS", #"{"id": "b1"}"#, nil, "unknown"),
        ("updated", String(repeating: "[", count: 100_000), nil, "nested"),
    ]

    @Test(arguments: unusable.indices)
    func f38UnusableEventsAreNamedButNeverQuoted(index: Int) {
        let (subject, text, id, words) = Self.unusable[index]
        let error = #expect(throws: BotEventError.self) { try decode(subject, text) }
        #expect(error?.id == id)
        #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
        #expect(error?.description.contains("SECRETVALUE") == false)
    }

    @Test func bytesThatAreNoUTF8AreRefused() {
        let bytes: [UInt8] = Array(#"{"id": ""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)
        let error = #expect(throws: BotEventError.self) { try BotEvent(subject: "the0.bot.deleted", payload: bytes) }
        #expect(error?.problem.contains("UTF-8") == true)
    }

    @Test func otherKindsOfEventsAreRefused() {
        for subject in ["the0.bot-schedule.created", "the0.bot", "created", "THE0.BOT.CREATED"] {
            #expect(throws: BotEventError.self) { try BotEvent(subject: subject, payload: Array(#"{"id": "b"}"#.utf8)) }
        }
    }
}
