import Control
import Model
import Synchronization
import Testing

@testable import MongoStore

/// Documents whose bytes have not changed are not decoded again; any other is.
@Suite struct DecodedDocumentsTests {
    /// An entry that tells which of all decodings it came from.
    private struct Numbered: DocumentEntry, Equatable {
        static let fields: Set = ["id", "value"]
        private static let next = Atomic(0)

        let document: JSONObject
        let number: Int

        init(document: JSONObject) {
            self.document = document
            number = Self.next.wrappingAdd(1, ordering: .relaxed).newValue
        }

        static func broken(_ id: BotID?, _ error: DocumentError) -> Numbered { Numbered(document: ["broken": true]) }
        static func resolvingDuplicates(_ entries: [Numbered]) -> [Numbered] { entries }
    }

    private func read(_ documents: [JSONObject], _ decoded: DecodedDocuments<Numbered>, isWhole: Bool = true) throws
        -> [Numbered]
    {
        let reading = decoded.reading()
        let entries = try documents.map { document in
            try BSONWriter.document(document).withUnsafeBytes { reading.read($0) }
        }
        if isWhole { decoded.finish(reading, entries) }
        return entries
    }

    @Test func onlyWhatHasChangedIsDecoded() throws {
        let decoded = DecodedDocuments<Numbered>()
        let first = try read([["id": "a", "value": 1], ["id": "b", "value": 1]], decoded)
        // In another order, one changed, one new, one gone.
        let second = try read([["id": "c", "value": 1], ["id": "b", "value": 1], ["id": "a", "value": 2]], decoded)
        #expect(second.map { $0.document["id"]?.string } == ["c", "b", "a"])
        #expect(second[1] == first[1] && second[2].document["value"] == 2)
        #expect(second[2].number != first[0].number)
        // As before the change: not what it was two readings ago.
        let third = try read([["id": "a", "value": 1]], decoded)
        #expect(third[0].document == first[0].document && third[0].number != first[0].number)
    }

    @Test func aReadingThatFailedIsForgotten() throws {
        let decoded = DecodedDocuments<Numbered>()
        let first = try read([["id": "a", "value": 1], ["id": "b", "value": 1]], decoded)
        let failed = try read([["id": "a", "value": 2]], decoded, isWhole: false)
        #expect(failed[0].document["value"] == 2)
        #expect(try read([["id": "a", "value": 1], ["id": "b", "value": 1]], decoded) == first)
    }
}
