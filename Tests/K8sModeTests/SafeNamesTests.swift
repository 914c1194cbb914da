import Model
import Testing

@testable import K8sMode

@Suite struct SafeNamesTests {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789-".utf8)

    private static func isDNSLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && text.utf8.allSatisfy(alphabet.contains) && !text.hasPrefix("-")
            && !text.hasSuffix("-")
    }

    private static func isLabelValue(_ text: String) -> Bool {
        let marks = Array("-_.".utf8)
        let upper: ClosedRange<UInt8> = 0x41...0x5A
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else {
            return false
        }
        guard !marks.contains(first), !marks.contains(last) else { return false }
        return text.utf8.allSatisfy { alphabet.contains($0) || upper.contains($0) || marks.contains($0) }
    }

    private static let ids =
        [
            "a", "A", "A_b", "a_b", "a-b", "a.b", "a b", "-", "---", "-a", "a-", "_", "ü", "u\u{308}", "日本語", "💥",
            "../../x", "/", "a/b", "a\nb", "a'b", " ", "0", "x", String(repeating: "a", count: 63),
            String(repeating: "a", count: 64), String(repeating: "a", count: 300), String(repeating: "A", count: 300),
            String(repeating: "ü", count: 300), String(repeating: "-", count: 300), "kube-system", "the0-bot-a",
            String(repeating: "a", count: 299) + "b", "x00000000000000000000", "a-x00000000000000000000",
        ].map { BotID($0) }

    @Test(arguments: ids) func f48AnyIdHasANameAndALabel(_ id: BotID) {
        let pod = SafeName.objectName(id, prefix: "the0-bot")
        #expect(Self.isDNSLabel(pod.text), "\(pod.text)")
        #expect(pod.text.hasPrefix("the0-bot-"))
        let cron = SafeName.objectName(id, prefix: "the0-schedule", limit: 52)
        #expect(Self.isDNSLabel(cron.text) && cron.text.utf8.count <= 52, "\(cron.text)")
        let label = SafeName.labelValue(id)
        #expect(Self.isLabelValue(label.text), "\(label.text)")
        // The same in every process.
        #expect(SafeName.objectName(id, prefix: "the0-bot") == pod)
    }

    @Test func f49NamesNeverCollide() {
        var ids = Self.ids
        let long = String(repeating: "a", count: 60)
        for number in 0..<2000 { ids.append(BotID("\(long)\(number)")) }
        // Those that look like what others are mapped to.
        for id in Self.ids {
            ids.append(BotID(SafeName.labelValue(id).text))
            ids.append(BotID(String(SafeName.objectName(id, prefix: "the0-bot").text.dropFirst(9))))
            ids.append(BotID(String(SafeName.objectName(id, prefix: "p", limit: 52).text.dropFirst(2))))
        }
        let different = Set(ids)
        #expect(Set(different.map { SafeName.objectName($0, prefix: "the0-bot") }).count == different.count)
        #expect(Set(different.map { SafeName.objectName($0, prefix: "p", limit: 52) }).count == different.count)
        #expect(Set(different.map { SafeName.labelValue($0) }).count == different.count)
    }

    @Test func plainIdsStayReadable() {
        #expect(SafeName.objectName("momentum-1", prefix: "the0-bot").text == "the0-bot-momentum-1")
        #expect(SafeName.labelValue("My_Bot.v2").text == "My_Bot.v2")
        #expect(SafeName.objectName("A_b", prefix: "the0-bot").text == "the0-bot-a-b-x08eb65adb1a856b8d579")
    }
}
