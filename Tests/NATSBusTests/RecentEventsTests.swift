import Control
import Model
import Testing

@testable import NATSBus

@Suite struct RecentEventsTests {
    private func created(_ setting: String) -> BotEvent { .created(document(["config": ["s": .string(setting)]])) }
    private func updated(_ fields: JSONObject) -> BotEvent { .updated(document(fields)) }
    private func document(_ fields: JSONObject) -> BotDocument { BotDocument(id: "b", fields: fields) }

    private func effect(_ events: BotEvent...) -> BotEvent? {
        var recent = RecentEvents()
        for event in events { recent.add(event) }
        return recent.effects["b"]
    }

    @Test func lastSettingsCount() {
        #expect(
            effect(updated(["config": ["s": "1"]]), updated(["config": ["s": "2"]])) == updated(["config": ["s": "2"]])
        )
    }

    @Test func changesOfPartsAddUp() {
        let both = updated(["config": ["s": "1"], "enabled": false])
        #expect(effect(updated(["config": ["s": "1"]]), updated(["enabled": false])) == both)
        #expect(effect(created("1"), updated(["enabled": false])) == both)
    }

    @Test func whatIsGoneStaysGone() {
        #expect(effect(created("1"), updated(["config": ["s": "2"]]), .deleted("b")) == .deleted("b"))
    }

    @Test func whatIsMadeAnewHasTheNewSettings() {
        #expect(effect(created("1"), .deleted("b"), created("2")) == updated(["config": ["s": "2"]]))
        #expect(effect(created("1"), created("2")) == created("1"))
    }
}
