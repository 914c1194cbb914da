import Control
import Model
import Testing

@testable import NATSBus

private func decode(_ operation: String, _ text: String) throws(BotEventError) -> BotEvent {
    try BotEvent(subject: "the0.bot-schedule.\(operation)", payload: Array(text.utf8), kind: .schedule)
}

@Suite struct ScheduleEventTests {
    @Test func aCreationCarriesItsExpression() throws {
        let text = #"{"id": "s", "config": {"schedule": "0 9 * * 1", "n": 1}, "custom": \#(customText)}"#
        guard case .created(let document) = try decode("created", text) else {
            Issue.record("no creation")
            return
        }
        #expect(document.id == "s")
        #expect(document.fields["config"] == ["schedule": "0 9 * * 1", "n": 1])
    }

    @Test func anUpdateMayCarryOnePart() throws {
        let config = #"{"id": "s", "config": {"schedule": "@daily"}}"#
        #expect(
            try decode("updated", config) == .updated(BotDocument(id: "s", fields: ["config": ["schedule": "@daily"]]))
        )
        let off = #"{"id": "s", "enabled": false}"#
        #expect(try decode("updated", off) == .updated(BotDocument(id: "s", fields: ["enabled": false])))
        let custom = #"{"id": "s", "custom": \#(customText)}"#
        #expect(try decode("updated", custom).id == "s")
        #expect(try decode("deleted", #"{"id": "s", "config": 7}"#) == .deleted("s"))
    }

    @Test(arguments: [
        ("created", #"{"id": "s", "config": {}, "custom": CUSTOM}"#), ("created", #"{"id": "s", "custom": CUSTOM}"#),
        ("created", #"{"id": "s", "config": {"schedule": 5}, "custom": CUSTOM}"#),
        ("updated", #"{"id": "s", "config": {}, "custom": CUSTOM}"#), ("updated", #"{"id": "s", "config": {}}"#),
        ("updated", #"{"id": "s", "config": {"schedule": ["SECRET"]}}"#),
        ("updated", #"{"id": "s", "config": {"schedule": null}}"#),
    ])
    func withoutAnExpressionItIsRefusedBeforeItReplacesWhatIsGood(operation: String, text: String) {
        let text = text.replacing("CUSTOM", with: customText)
        let error = #expect(throws: BotEventError.self) { try decode(operation, text) }
        #expect(error?.problem.contains("config.schedule") == true)
        #expect(error?.description.contains("SECRET") == false)
    }

    @Test func theSubjectsOfTheOtherKindAreRefused() {
        let payload = Array(#"{"id": "s"}"#.utf8)
        #expect(throws: BotEventError.self) {
            try BotEvent(subject: "the0.bot.deleted", payload: payload, kind: .schedule)
        }
        #expect(throws: BotEventError.self) { try BotEvent(subject: "the0.bot-schedule.deleted", payload: payload) }
    }

    @Test(arguments: ["deleted", "bot-schedule.deleted", "SCHEDULE_DELETE", "the0.bot-schedule.deleted"])
    func theWrappedFormIsTaken(type: String) throws {
        #expect(try decode("deleted", #"{"type": "\#(type)", "entity_id": "s"}"#) == .deleted("s"))
    }

    @Test(arguments: ["bot.deleted", "schedule.created"]) func aTypeThatContradictsIsRefused(type: String) {
        #expect(throws: BotEventError.self) { try decode("deleted", #"{"type": "\#(type)", "entity_id": "s"}"#) }
    }
}
