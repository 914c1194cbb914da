import Model
import Testing

@testable import DockerMode

@Suite struct ObjectNamesTests {
    private func name(_ id: String, kind: ExecutableKind = .live, slot: Slot? = nil, instance: String = "default")
        -> String
    {
        let version = CustomBotVersion(
            version: "1",
            code: .object(key: "k"),
            config: CustomBotConfig(name: "x", runtime: "python3.11", entrypoints: [:])
        )
        return ObjectNames(instance: instance)
            .container(Executable(id: BotID(id), kind: kind, slot: slot, config: [:], custom: version))
    }

    @Test(arguments: [
        "bot-1", "../../x", "", "ü", "a\nb", String(repeating: "long/", count: 1000), "---", ".", "A_b.c",
    ])
    func f25AnyIdMakesANameThatEnginesAccept(_ id: String) {
        let name = name(id)
        #expect(name.wholeMatch(of: /[a-zA-Z0-9][a-zA-Z0-9_.\-]+/) != nil)
        #expect(name.utf8.count <= 63)
        #expect(name.hasPrefix("the0-bot-"))
        #expect(name == self.name(id))
    }

    @Test func differentIdsKindsSlotsAndInstancesHaveDifferentNames() {
        let names = [
            name("a"), name("a/"), name("a-"), name("A"), name("\u{E9}"), name("e\u{301}"),
            name("a", kind: .scheduled), name("a", kind: .scheduled, slot: 1), name("a", kind: .scheduled, slot: 2),
            name("a", instance: "other"), name("a1", instance: "x"), name("1", instance: "xa"),
        ]
        #expect(Set(names).count == names.count)
    }

    @Test func theReadablePartIsShort() {
        #expect(name("my bot: no. 7").hasPrefix("the0-bot-my-bot-no.-7-"))
        #expect(
            name(String(repeating: "x", count: 500)).hasPrefix("the0-bot-" + String(repeating: "x", count: 32) + "-")
        )
    }

    @Test func networksAreNamedAfterTheirInstance() {
        #expect(ObjectNames(instance: "default").network == "the0-default")
        #expect(ObjectNames(instance: "a b").network.hasPrefix("the0-a-b-"))
        #expect(ObjectNames(instance: "a b").network != ObjectNames(instance: "a/b").network)
    }

    @Test func stateBelongsToABotAndNotToOneRunOfIt() {
        let names = ObjectNames(instance: "i")
        #expect(names.state(kind: .live, id: "a") != names.state(kind: .scheduled, id: "a"))
        #expect(names.state(kind: .live, id: "a").hasPrefix("the0-bot-state-a-"))
    }
}
