import Model
import Testing
import Util

@testable import Control

@Suite struct RunRecordTests {
    private let time = Timestamp(secondsSince1970: 1_767_258_000)

    private var run: RunRecord {
        RunRecord(id: "a", slot: 60, owner: "o", claimedAt: time, notBefore: time, startBy: time)
    }

    @Test(arguments: [.max, (1 << 53) + 1, 0, -1, .min] as [Int64])
    func aRevisionThatNobodyCanHaveWrittenIsAnErrorAndNoTrap(revision: Int64) {
        var document = run.document
        document["revision"] = .integer(revision)
        #expect(throws: DocumentError.self) { try RunRecord(document: document) }
        var hostile = run
        hostile.revision = revision
        #expect(hostile.next { _ in }.revision == revision &+ 1)
    }

    @Test func theLastRevisionIsRead() throws {
        var document = run.document
        document["revision"] = .integer(1 << 53)
        #expect(try RunRecord(document: document).revision == 1 << 53)
    }
}
