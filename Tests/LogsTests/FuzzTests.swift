import Foundation
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import Logs

/// What bots print, and what a damaged disk gives back.
@Suite struct FuzzTests {
    @Test func aLineIsAnObjectExactlyWhenTheFullParserSaysSo() throws {
        var objects = 0
        try fuzz(try Corpus("lines", in: .module), count: 10_000) { bytes, _ in
            let line = bytes.withUnsafeBufferPointer { JSONLine($0) }
            let value = (try? JSONValue.parse(bytes, depth: JSONLine.deepest))?.object
            try must((line != nil) == (value != nil), "taken for an object: \(line != nil)")
            guard let line, let value else { return }
            objects += 1
            try must(line.isEmpty == value.isEmpty, "taken for empty: \(line.isEmpty)")
            try must(line.hasTimestamp == (value["timestamp"] != nil), "a timestamp is seen: \(line.hasTimestamp)")
        }
        #expect(objects > 500)
    }

    @Test func whatIsStoredOfALineIsOneLineThatCanBeReadAgain() throws {
        let time = Timestamp(nanosecondsSince1970: 1_767_323_045_000_000_001)
        try fuzz(try Corpus("lines", in: .module), count: 4000) { bytes, mutator in
            let text = OutputText(
                stream: mutator.number(0...1) == 0 ? .stdout : .stderr,
                time: time,
                bytes: bytes.filter { $0 != 0x0A },
                cut: mutator.number(0...9) == 0 ? 5 : 0
            )
            var format = LineFormat()
            var stored: [UInt8] = []
            format.append(text, to: &stored)
            try must(stored.count { $0 == 0x0A } == 1 && stored.last == 0x0A, "more than a line")
            let line = LogLine(stored.dropLast())
            try must(line.object?["timestamp"] != nil, "no object with a time is stored")
            guard !bytes.contains(UInt8(ascii: "{")) else { return }
            try must(line.time == time && line.stream == text.stream, "another time or stream")
            // Of what is no UTF-8 each byte is replaced, where Swift's decoding takes some together.
            guard let expected = String(validating: text.bytes, as: UTF8.self) else { return }
            try must(line.text == expected + (text.cut > 0 ? "… [5 bytes cut]" : ""), line.text)
            // Lines in the store may be anybody's.
            let other = LogLine(bytes)
            _ = (other.time, other.text, other.stream, other.isMark)
        }
    }

    @Test func aDamagedRecordIsNoneOrOneInsideItsSegment() throws {
        let record = SpoolRecord(
            number: 7,
            reference: "8dfafdbc3a40",
            position: OutputPosition(text: "1.0.1.0.0.0.0.1.-.-"),
            chunks: [
                .init(day: LogDay(number: 20_000), lines: 2, bytes: Array("{}\n{}\n".utf8)),
                .init(day: LogDay(number: -1), lines: 0, bytes: []),
            ]
        )
        let whole = try #require(PlacedRecord(in: record.encoded + record.encoded, at: record.encoded.count))
        #expect(whole.reference == record.reference && whole.position == record.position)
        var read = 0
        var mutator = Mutator([record.encoded + record.encoded], seed: Fuzzing.seed)
        for _ in 0..<(6000 * Fuzzing.rounds) {
            var segment = mutator.next()
            // Length and checksum are right in most cases, or nothing behind them would be reached.
            if mutator.number(0...3) > 0, segment.count > SpoolRecord.headerSize {
                var header = ByteWriter()
                header.add(UInt32(segment.count - SpoolRecord.headerSize))
                header.add(Checksum.of(segment[SpoolRecord.headerSize...]))
                segment.replaceSubrange(0..<SpoolRecord.headerSize, with: header.bytes)
            }
            for start in [0, mutator.number(-1...segment.count + 1)] {
                guard let placed = PlacedRecord(in: segment, at: start) else { continue }
                read += 1
                #expect(placed.range.lowerBound == start && placed.range.upperBound <= segment.count)
                #expect(placed.chunks.allSatisfy { placed.range.contains($0.range.lowerBound) || $0.range.isEmpty })
                #expect(placed.chunks.allSatisfy { $0.range.upperBound <= placed.range.upperBound })
            }
        }
        #expect(read > 100)
    }

    @Test func aDamagedStateIsNoneOrOneThatCanBeWrittenAgain() throws {
        var state = SpoolState()
        state.sequence = 9
        state.stored = SpoolPlace(segment: 3, offset: 77)
        state.ahead = [LogDay(number: 20_000): SpoolPlace(segment: 4, offset: 0)]
        state.sizes = [LogDay(number: 20_000): 12_345]
        state.intent = StoreIntent(day: LogDay(number: 20_000), base: nil, end: .beginning)
        state.runs = [
            SpooledRun(
                reference: "r",
                createdAt: Timestamp(nanosecondsSince1970: 1),
                since: Timestamp(nanosecondsSince1970: 2),
                position: OutputPosition(text: "p"),
                asOf: 3,
                endedAt: nil
            )
        ]
        let encoded = state.encoded
        #expect(SpoolState(encoded[...]) == state)
        var mutator = Mutator([encoded], seed: Fuzzing.seed)
        var read = 0
        for _ in 0..<(6000 * Fuzzing.rounds) {
            guard let found = SpoolState(mutator.next()[...]) else { continue }
            read += 1
            #expect(SpoolState(found.encoded[...]) == found)
        }
        #expect(read > 50)
    }
}
