import Runtime
import TestSupport
import Testing
import Util

@testable import DockerMode

@Suite struct LogReaderTests {
    /// Reads a log's bytes in pieces, to the end of the run.
    private func read(_ pieces: [[UInt8]], after position: LogPosition? = nil, ends: Bool = true) throws -> Reading {
        var reader = LogReader(after: position)
        var reading = Reading()
        for piece in pieces { reading.take(try reader.add(piece)) }
        #expect(!reader.isLost)
        if ends { reading.take(reader.finish()) }
        return reading
    }

    /// Reads on as a following does: when the clock was set back since, from the log's beginning.
    private func readOn(_ log: RecordedLog, after position: LogPosition) throws -> Reading {
        let read = log.frames.lastIndex { frame in
            frame.text.withUnsafeBytes { FrameMark(frame.stream, frame.time, $0) } == position.last
        }
        let anchor = Timestamp(secondsSince1970: position.anchor)
        let wasSetBack = log.frames[((read ?? 0) + 1)...].contains { $0.time < anchor }
        guard position.anchor > 0, wasSetBack else {
            return try self.read([log.bytes(since: position.anchor > 0 ? position.anchor : nil)], after: position)
        }
        var search = LogSearch(position, anchor: 0)
        try search.add(log.bytes(since: nil))
        let found = try #require(search.result)
        #expect(!found.hasGap)
        return try self.read([log.bytes(since: nil)], after: found.position)
    }

    private static let mixed = RecordedLog(frames: [
        RecordedFrame(.stdout, at: 100.25, "one\n"), RecordedFrame(.stderr, at: 100.2, "two\r\n"),
        RecordedFrame(.stdout, at: 101, "part "), RecordedFrame(.stderr, at: 101.5, "between\n"),
        RecordedFrame(.stdout, at: 101, "part "), RecordedFrame(.stderr, at: 102, ""),
        RecordedFrame(.stdout, at: 101, "end\n"), RecordedFrame(.stderr, at: 103, "\n"),
        RecordedFrame(.stdout, at: 104, "no end"),
    ])

    @Test func f19LinesAreTheSameWhereverThePiecesAreCut() throws {
        let bytes = Self.mixed.bytes(since: nil)
        let whole = try read([bytes])
        #expect(whole.lines == Self.mixed.lines())
        #expect(
            whole.lines.map { String(decoding: $0.bytes, as: UTF8.self) } == [
                "one", "two", "between", "part part end", "", "no end",
            ]
        )
        for cut in 1..<bytes.count {
            let reading = try read([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(reading.lines == whole.lines)
            #expect(reading.positions.last?.position == whole.positions.last?.position)
        }
        #expect(try read(bytes.map { [$0] }).lines == whole.lines)
    }

    @Test(arguments: 0..<24)
    func f19ReadingOnAtAnyLineGivesExactlyTheRest(_ seed: UInt64) throws {
        let log = RecordedLog.random(seed, frames: 60)
        let expected = log.lines()
        let all = try read(log.frames.map(\.bytes))
        #expect(all.lines == expected)
        for (count, position) in all.positions {
            #expect(LogPosition(text: position.text) == position)
            #expect(position.text.utf8.count <= 200)
            let rest = try readOn(log, after: position)
            #expect(rest.lines == Array(expected[count...]), "seed \(seed), after \(count) lines")
            #expect(rest.gaps == 0)
            // Once more from a place found in the second reading.
            guard let second = rest.positions.first else { continue }
            let last = try readOn(log, after: second.position)
            #expect(last.lines == Array(expected[(count + second.count)...]))
        }
    }

    @Test func f19APositionIsTakenFromTheLastSecondsOnly() throws {
        var log = RecordedLog(frames: [])
        for second in 0..<1000 { log.frames.append(RecordedFrame(.stdout, at: Double(second), "\(second)\n")) }
        let last = try #require(try read(log.frames.map(\.bytes)).positions.last)
        #expect(last.position.anchor == 999 - LogLedger.slack)
        #expect(last.position.count == Int(LogLedger.slack) + 1)
    }

    @Test func f19AnOpenLineIsReadAgainFromItsBeginning() throws {
        var log = RecordedLog(frames: [RecordedFrame(.stdout, at: 100, "begin ")])
        for second in 101..<200 { log.frames.append(RecordedFrame(.stderr, at: Double(second), "\(second)\n")) }
        let place = try #require(try read(log.frames.map(\.bytes), ends: false).positions.last?.position)
        #expect(place.anchor <= 100)
        log.frames.append(RecordedFrame(.stdout, at: 100, "end\n"))
        #expect(try read([log.bytes(since: place.anchor)], after: place).lines == Array(log.lines().suffix(1)))
    }

    @Test func f20WhatWasDeliveredAsTheLastLineIsNotDeliveredAgainWhenTheContainerGoesOn() throws {
        var log = Self.mixed
        let place = try #require(try read([log.bytes(since: nil)]).positions.last?.position)
        log.frames.append(RecordedFrame(.stdout, at: 200, "again\n"))
        let rest = try read([log.bytes(since: place.anchor > 0 ? place.anchor : nil)], after: place)
        #expect(rest.lines.map { String(decoding: $0.bytes, as: UTF8.self) } == ["again"])
    }

    @Test func linesOfTenMegabytesAreCutAndSaySo() throws {
        let part = [UInt8](repeating: 0xFE, count: 16 << 10)
        var log = RecordedLog(frames: [])
        let time = Timestamp(secondsSince1970: 100)
        for _ in 0..<640 { log.frames.append(RecordedFrame(.stdout, time, part)) }
        log.frames.append(RecordedFrame(.stdout, time, Array("\r\n".utf8)))
        log.frames.append(RecordedFrame(.stdout, time, Array("next\n".utf8)))
        let lines = try read(log.frames.map(\.bytes)).lines
        #expect(lines.map(\.bytes.count) == [OutputText.longest, 4])
        #expect(lines.map(\.cut) == [(640 << 14) - OutputText.longest, 0])
    }

    @Test func whatTheEngineSaysOfItselfIsAnError() throws {
        var reader = LogReader(after: nil)
        let words = Array("Error grabbing logs: unexpected EOF\n".utf8)
        let error = #expect(throws: DockerError.self) { try reader.add(RecordedFrame.head(3, words.count) + words) }
        #expect(error?.code == .failed)
        var untimed = LogReader(after: nil)
        let frame = RecordedFrame.head(1, 3) + Array("abc".utf8)
        #expect(throws: DockerError.self) { try untimed.add(frame) }
    }

    @Test(arguments: ["", "1", "x.1.2.3", "1.0.0.0.0.0.0.0.-.-", "1.-1.1.0.0.0.0.1.-.-", "1.0.1.0.0.0.0.2.-.-"])
    func whatIsNoPositionIsNone(_ text: String) {
        #expect(LogPosition(text: text) == nil)
    }

    @Test(arguments: 0..<200)
    func f19RandomBytesNeverCrashTheParserNorFillTheMemory(_ seed: UInt64) throws {
        var numbers = SeededGenerator(seed: seed)
        var bytes = Self.mixed.bytes(since: nil) + RecordedLog.random(seed, frames: 20).bytes(since: nil)
        // Some are nearly right, some are noise.
        for _ in 0..<Int.random(in: 0...20, using: &numbers) {
            bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
        }
        if seed % 4 == 0 { bytes = (0..<500).map { _ in UInt8.random(in: 0...3, using: &numbers) } }
        var reader = LogReader(after: nil)
        var frames = LogFrames(limit: 5)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 1...64, using: &numbers)))
            rest = rest.dropFirst(piece.count)
            do {
                let batch = try reader.add(piece)
                #expect((batch?.lines.reduce(0) { $0 + $1.bytes.count } ?? 0) <= bytes.count)
                try frames.add(piece)
            } catch {
                #expect([.badAnswer, .failed].contains(error.code))
                break
            }
        }
        #expect(frames.finish().count <= 5)
    }
}
