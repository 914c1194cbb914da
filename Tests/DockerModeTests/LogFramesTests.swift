import Runtime
import Testing
import Util

@testable import DockerMode

@Suite struct LogFramesTests {
    private func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
        let length = UInt32(text.utf8.count)
        return [stream, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + Array(text.utf8)
    }

    @Test func f16StreamsAndTimesAreKeptInOrderHoweverThePiecesFall() throws {
        let bytes =
            frame(1, "2026-01-01T00:00:00.000000001Z one\n") + frame(2, "2026-01-01T00:00:00.5Z two\r\n")
            + frame(1, "2026-01-01T00:00:01Z \n") + frame(1, "2026-01-01T00:00:02Z last")
        for size in [1, 3, 7, 1000] {
            var frames = LogFrames(limit: 10)
            var rest = bytes[...]
            while !rest.isEmpty {
                try frames.add(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            let lines = frames.finish()
            #expect(lines.map(\.text) == ["one", "two", "", "last"])
            #expect(lines.map(\.stream) == [.stdout, .stderr, .stdout, .stdout])
            #expect(lines.map { $0.time.description }.first == "2026-01-01T00:00:00.000000001Z")
        }
    }

    @Test func theEnginesPartsOfALineAreJoinedAlsoBetweenLinesOfTheOtherStream() throws {
        var frames = LogFrames(limit: 10)
        try frames.add(frame(1, "2026-01-01T00:00:00Z aaa") + frame(2, "2026-01-01T00:00:01Z other\n"))
        try frames.add(frame(1, "2026-01-01T00:00:02Z bbb\n"))
        let lines = frames.finish()
        #expect(lines.map(\.text) == ["other", "aaabbb"])
        #expect(lines.last?.time.description == "2026-01-01T00:00:00Z")
    }

    @Test func onlyTheLastLinesAreKept() throws {
        var frames = LogFrames(limit: 3)
        for number in 0..<10_000 { try frames.add(frame(1, "2026-01-01T00:00:00Z \(number)\n")) }
        #expect(frames.finish().map(\.text) == ["9997", "9998", "9999"])
        var none = LogFrames(limit: 0)
        try none.add(frame(1, "2026-01-01T00:00:00Z x\n"))
        #expect(none.finish().isEmpty)
    }

    @Test func linesAndAllOfThemAreBounded() throws {
        var frames = LogFrames(limit: .max)
        let part = String(repeating: "x", count: 16 << 10)
        for _ in 0..<200 {
            for _ in 0..<8 { try frames.add(frame(1, "2026-01-01T00:00:00Z " + part)) }
            try frames.add(frame(1, "2026-01-01T00:00:00Z \n"))
        }
        let lines = frames.finish()
        #expect(lines.allSatisfy { $0.text.utf8.count == LogFrames.longestLine })
        #expect(lines.reduce(0) { $0 + $1.text.utf8.count } <= LogFrames.mostBytes)
        #expect(!lines.isEmpty)
    }

    @Test func whatIsNotMadeOfFramesIsAnError() {
        var frames = LogFrames(limit: 3)
        #expect(throws: DockerError.self) { try frames.add(Array("plain text of a terminal".utf8)) }
        var huge = LogFrames(limit: 3)
        #expect(throws: DockerError.self) { try huge.add([1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]) }
    }
}
