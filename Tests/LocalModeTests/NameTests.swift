import Model
import Testing

@testable import LocalMode

@Suite struct NameTests {
    @Test(arguments: ["../../x", "/etc/passwd", "..", ".", "a\nb", "żółw", "", String(repeating: "x", count: 4096)])
    func aNameIsOneShortComponentWhateverTheID(_ text: String) {
        let name = DataFolder.name(of: .live, id: BotID(text))
        #expect(name.utf8.count < 100)
        #expect(!name.contains("/") && !name.contains(".") && name.hasPrefix("bot-"))
        #expect(DataFolder.name(ofReference: "\(name).abc") == name)
    }

    @Test func idsThatReadTheSameHaveNamesOfTheirOwn() {
        let ids: [BotID] = ["a/b", "a-b", "a.b", "a\u{E9}", "ae\u{301}", "A-b"]
        let names = Set(
            ids.map { DataFolder.name(of: .live, id: $0) } + ids.map { DataFolder.name(of: .scheduled, id: $0) }
        )
        #expect(names.count == 2 * ids.count)
        #expect(
            DataFolder.name(of: .scheduled, id: "a", slot: 1) != DataFolder.name(of: .scheduled, id: "a", slot: 2)
        )
    }

    @Test func instancesAreApart() {
        let names = ["default", "Default", "other"].map { DataFolder(directory: "/d", instance: $0).path }
        #expect(Set(names).count == 3)
    }

    @Test(arguments: ["", ".", "../x.abc", "a/b.abc", "bot", ".abc"])
    func referencesOfOthersAreRefused(_ text: String) {
        #expect(DataFolder.name(ofReference: text) == nil)
    }
}
