import Runtime
import TestSupport
import Testing
import Util

@testable import DockerMode

/// Logs that have turned over: their front is gone.
@Suite struct LogSearchTests {
    /// Reads on as a following does, from a log that may have lost its front.
    private func readOn(_ log: RecordedLog, after position: LogPosition) throws -> Reading {
        var reading = Reading()
        let bytes = log.bytes(since: position.anchor > 0 ? position.anchor : nil)
        var reader = LogReader(after: position)
        reading.take(try reader.add(bytes))
        if reader.isLost || !reader.isPastPosition {
            #expect(reading.lines.isEmpty)
            var search = LogSearch(position, anchor: position.anchor)
            try search.add(bytes)
            if let found = search.result {
                reader = LogReader(after: found.position, hasGap: found.hasGap)
            } else {
                reader = LogReader(after: nil, anchor: position.anchor, hasGap: true)
            }
            reading.take(try reader.add(bytes))
        }
        reading.take(reader.finish())
        reading.take(reader.gap())
        return reading
    }

    @Test(arguments: 0..<20)
    func f19AFrontThatIsGoneIsAGapOnlyIfItWasNotRead(_ seed: UInt64) throws {
        // Every line its own text, in time.
        var log = RecordedLog(frames: [])
        var numbers = SeededGenerator(seed: seed)
        var now = 100.0
        for number in 0..<60 {
            now += Double.random(in: 0...3, using: &numbers)
            log.frames.append(RecordedFrame(number % 3 == 0 ? .stderr : .stdout, at: now, "\(number)\n"))
        }
        let expected = log.lines()
        var reader = LogReader(after: nil)
        var all = Reading()
        for frame in log.frames { all.take(try reader.add(frame.bytes)) }
        for (count, position) in all.positions {
            for dropped in stride(from: 0, through: log.frames.count, by: 7) {
                let turned = RecordedLog(frames: Array(log.frames[dropped...]))
                let rest = try readOn(turned, after: position)
                #expect(rest.lines == Array(expected[max(count, dropped)...]), "\(count) read, \(dropped) dropped")
                if dropped > count, dropped < log.frames.count { #expect(rest.gaps == 1) }
                if dropped < count { #expect(rest.gaps == 0) }
            }
        }
    }

    @Test func f19AnOpenLineWhoseBeginningIsGoneIsAGap() throws {
        var log = RecordedLog(frames: [
            RecordedFrame(.stdout, at: 100, "begin "), RecordedFrame(.stderr, at: 101, "x\n"),
        ])
        var reader = LogReader(after: nil)
        _ = try reader.add(log.bytes(since: nil))
        let place = try #require(reader.place)
        log.frames.append(RecordedFrame(.stdout, at: 102, "end\n"))
        log.frames.removeFirst()
        let rest = try readOn(log, after: place)
        #expect(rest.lines.map { String(decoding: $0.bytes, as: UTF8.self) } == ["end"])
        #expect(rest.gaps == 1)
    }

    @Test func f19PartsThatAreAlikeAreCounted() throws {
        var log = RecordedLog(frames: [RecordedFrame(.stderr, at: 100, "first\n")])
        for _ in 0..<3 {
            log.frames.append(RecordedFrame(.stdout, at: 101, "xx"))
            log.frames.append(RecordedFrame(.stdout, at: 101, "yy"))
        }
        log.frames.append(RecordedFrame(.stderr, at: 102, "last\n"))
        log.frames.append(RecordedFrame(.stdout, at: 101, "xx\n"))
        // The place after the fourth part, whose line is open.
        var reader = LogReader(after: nil)
        for frame in log.frames[..<5] { _ = try reader.add(frame.bytes) }
        let place = try #require(reader.place)
        #expect(place.alike == 2)
        log.frames.removeFirst()
        let rest = try readOn(log, after: place)
        #expect(rest.lines.map { String(decoding: $0.bytes, as: UTF8.self) } == ["last", "xxyyxxyyxxyyxx"])
        #expect(rest.gaps == 0)
    }

    @Test func f19LinesThatAFollowWasNotGivenAreAGap() throws {
        let log = RecordedLog(frames: (0..<5).map { RecordedFrame(.stdout, at: 100 + Double($0), "\($0)\n") })
        // As an engine gives them that loses its place when its file turns over: without the third.
        var reader = LogReader(after: nil)
        var given = log.frames
        given.remove(at: 2)
        _ = try reader.add(given.flatMap(\.bytes))
        let rest = try readOn(log, after: try #require(reader.place))
        #expect(rest.lines.isEmpty)
        #expect(rest.gaps == 1)
    }

    @Test(
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 31 Feb 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil), ("", nil),
            ("Sun, 6 Nov 1994 08:49:37 GMT", nil), ("Sunday, 06-Nov-94 08:49:37 GMT", nil),
        ] as [(String, Int64?)]
    )
    func httpDatesAreRead(_ text: String, _ seconds: Int64?) {
        #expect(HTTPDate.seconds(text) == seconds)
    }
}

/// Engines that give a followed log's last file again from its beginning.
@Suite struct RecentFramesTests {
    private static let log = RecordedLog(
        frames: (0..<6000).map { RecordedFrame(.stdout, at: 1000 + Double($0) / 1000, "line \($0)\n") }
    )

    @Test(arguments: [1, 40, 5999])
    func f19WhatIsGivenAgainIsNotTaken(_ back: Int) throws {
        let frames = Self.log.frames
        var reader = LogReader(after: nil, follows: true)
        var reading = Reading()
        reading.take(try reader.add((frames + frames.suffix(back)).flatMap(\.bytes)))
        #expect(reading.lines == Self.log.lines())
        #expect(reader.repeated != nil)
        #expect(reader.place?.last.time == frames.last?.time)
    }

    @Test func f19LinesOutOfOrderAndPartsAreNoRepetition() throws {
        let log = RecordedLog(frames: [
            RecordedFrame(.stdout, at: 1000.2, "a\n"), RecordedFrame(.stderr, at: 1000.1, "b\n"),
            RecordedFrame(.stdout, at: 1001, "xx"), RecordedFrame(.stderr, at: 1020, "c\n"),
            RecordedFrame(.stdout, at: 1001, "yy"), RecordedFrame(.stdout, at: 1001, "\n"),
        ])
        var reader = LogReader(after: nil, follows: true)
        var reading = Reading()
        reading.take(try reader.add(log.bytes(since: nil)))
        #expect(reading.lines == log.lines())
        #expect(reader.repeated == nil)
    }

    @Test func f19PartsThatAreAlikeAreInDoubtOnlyWhileTheEngineIsFollowed() throws {
        let log = RecordedLog(frames: [
            RecordedFrame(.stdout, at: 1000, "xx"), RecordedFrame(.stdout, at: 1000, "xx"),
            RecordedFrame(.stdout, at: 1000, "\n"),
        ])
        var reader = LogReader(after: nil, follows: true)
        #expect(try reader.add(log.bytes(since: nil)) == nil)
        #expect(reader.repeated != nil)
        let place = try #require(reader.place)
        #expect(place.count == 1)
        var second = LogReader(after: place)
        #expect(try second.add(log.bytes(since: nil))?.lines == log.lines())
    }

    @Test func f19AClockThatWasSetBackIsBelievedAtTheSecondReading() throws {
        var log = RecordedLog(frames: Self.log.frames)
        log.frames.append(RecordedFrame(.stdout, at: 10, "back\n"))
        log.frames.append(RecordedFrame(.stdout, at: 11, "on\n"))
        var reader = LogReader(after: nil, follows: true)
        _ = try reader.add(log.bytes(since: nil))
        var place = try #require(reader.place)
        #expect(reader.repeated?.time == Timestamp(secondsSince1970: 10))
        var search = LogSearch(place, anchor: 0)
        try search.add(log.bytes(since: nil))
        place = try #require(search.result?.position)
        var second = LogReader(after: place)
        #expect(try second.add(log.bytes(since: nil))?.lines == Array(log.lines().suffix(2)))
    }
}
