import Model
import Runtime
import Testing

@testable import Control

/// What a bot asked for is remembered for that very bot, and for nothing else.
@Suite struct DesiredMemoTests {
    @Test func onlyTheSameBotAsksForTheSame() {
        var memo = DesiredMemo()
        let error = DocumentError(id: "b", field: "config", problem: "is no object")
        let a = StoredBot.bot(bot("a", config: ["n": 1]))
        memo.note(.disabled, of: a)
        memo.note(.unknown(error), of: .broken("b", error))
        memo.note(.unknown(error), of: .broken(nil, error))
        #expect(memo.desired(for: .bot(bot("a", config: ["n": 1]))) == .disabled)
        #expect(memo.desired(for: .broken("b", error)) == .unknown(error))
        let others: [StoredBot] = [
            .bot(bot("a", config: ["n": 1.0])), .bot(bot("a", enabled: false, config: ["n": 1])),
            .bot(bot("a", config: ["n": 1], key: "other.zip")), .bot(bot("c", config: ["n": 1])), .off("a"),
            .broken("a", error), .broken(nil, error),
        ]
        for other in others { #expect(memo.desired(for: other) == nil, "\(other)") }
    }
}
