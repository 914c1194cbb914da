import Model
import Runtime
import Testing
import Util

@testable import LocalMode

@Suite struct OutputRecordTests {
    private func lines(_ pieces: [[UInt8]], longest: Int = 10) -> [LineAssembler.Line] {
        var assembler = LineAssembler(longest: longest)
        var lines: [LineAssembler.Line] = []
        for piece in pieces { assembler.add(piece[...]) { lines.append($0) } }
        assembler.finish { lines.append($0) }
        return lines
    }

    @Test func linesAreTheSameHoweverTheyAreCutIntoPieces() {
        let text = Array("one\n\ntwo three four five\nsix\r\nend".utf8)
        let whole = lines([text])
        #expect(whole.map { String(decoding: $0.bytes, as: UTF8.self) } == ["one", "", "two three ", "six\r", "end"])
        #expect(whole.map(\.cut) == [0, 0, 9, 0, 0])
        for size in 1...text.count {
            let pieces = stride(from: 0, to: text.count, by: size).map { Array(text[$0..<min($0 + size, text.count)]) }
            let found = lines(pieces)
            #expect(found.map { Array($0.bytes) } == whole.map { Array($0.bytes) })
            #expect(found.map(\.cut) == whole.map(\.cut))
        }
    }

    @Test func whatWasWrittenIsReadAndEveryCutIsSeen() {
        var bytes: [UInt8] = []
        let time = Timestamp(nanosecondsSince1970: 1_732_448_000_123_456_789)
        let content: [UInt8] = [0, 10, 255, 32]
        OutputRecord.append(.init(bytes: content[...], cut: 3), .stderr, time, to: &bytes)
        guard case .entry(.line(let line), let size) = OutputRecord.read(bytes[...]) else {
            Issue.record("not read")
            return
        }
        #expect(line == OutputText(stream: .stderr, time: time, bytes: content, cut: 3))
        #expect(size == bytes.count)
        for count in 0..<bytes.count {
            guard case .incomplete = OutputRecord.read(bytes[..<count]) else {
                Issue.record("\(count) bytes of \(bytes.count) are taken for something")
                return
            }
        }
    }

    @Test(arguments: [
        "x 1 0 0\n\n", "o 1 -1 0\n\n", "o 1 99999999999 0\n\n", "o a 0 0\n\n", "o 1 0\n\n", "o 1 0 0\nx", "\n\n\n",
        "o 1 0 -1\n\n", String(repeating: "o", count: 200),
    ])
    func whatNobodyOfOursWroteIsRefused(_ text: String) {
        guard case .nonsense = OutputRecord.read(Array(text.utf8)[...]) else {
            Issue.record("taken for a record: \(text)")
            return
        }
    }

    @Test(arguments: ["", "1", "0:0", "1:-1", "a:b", "1:2:3", "-1:0"])
    func positionsOfOthersAreRefused(_ text: String) {
        #expect(throws: LocalError.self) { try OutputReader.Position(OutputPosition(text: text)) }
    }
}
