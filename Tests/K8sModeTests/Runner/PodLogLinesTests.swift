import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct PodLogLinesTests {
    private static let stamp = "2026-01-02T03:04:05.000000007Z "
    private static let time = Timestamp(nanosecondsSince1970: 1_767_323_045_000_000_007)

    private func lines(_ pieces: [[UInt8]], longest: Int = 1 << 20) -> [PodLogLine] {
        var splitter = PodLogLines(longest: longest)
        var result: [PodLogLine] = []
        for piece in pieces { splitter.add(piece) { result.append($0) } }
        if let rest = splitter.finish() { result.append(rest) }
        return result
    }

    private func texts(_ lines: [PodLogLine]) -> [String] { lines.map { String(decoding: $0.bytes, as: UTF8.self) } }

    @Test func linesAreTheSameWhereverThePiecesAreCut() {
        let text =
            "\(Self.stamp)one\n2026-01-02T05:04:05.000000007+02:00 two\r\n\(Self.stamp)\nno time\n\(Self.stamp)end"
        let bytes = Array(text.utf8)
        let whole = lines([bytes])
        #expect(texts(whole) == ["one", "two", "", "no time", "end"])
        #expect(whole.map(\.time) == [Self.time, Self.time, Self.time, nil, Self.time])
        for cut in 1..<bytes.count { #expect(lines([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole) }
        #expect(lines(bytes.map { [$0] }) == whole)
    }

    @Test(arguments: [8 << 10, 16 << 10])
    func timesWithinALongLineAreTakenOut(part: Int) {
        let text = String(repeating: "x", count: part * 2 + 100)
        var stamped = ""
        for start in stride(from: 0, to: text.count, by: part) {
            stamped += Self.stamp + text.dropFirst(start).prefix(part)
        }
        #expect(texts(lines([Array((stamped + "\n").utf8)])) == [text])
        // Newer kubelets write one time only.
        #expect(texts(lines([Array((Self.stamp + text + "\n").utf8)])) == [text])
        // A bot may write times itself.
        let own = "at \(Self.stamp)and \(Self.stamp)"
        #expect(texts(lines([Array((Self.stamp + own + "\n").utf8)])) == [own])
    }

    @Test func anEndlessLineIsCutAndCounted() throws {
        var splitter = PodLogLines(longest: 1000)
        var taken: [PodLogLine] = []
        splitter.add(Array(Self.stamp.utf8)) { taken.append($0) }
        let piece = [UInt8](repeating: UInt8(ascii: "y"), count: 100_000)
        for _ in 0..<50 { splitter.add(piece) { taken.append($0) } }
        splitter.add(Array("\n\(Self.stamp)next\n".utf8)) { taken.append($0) }
        #expect(taken.count == 2 && taken[0].bytes.count == 1000 && taken[0].cut == 5_000_000 - 1000)
        #expect(texts([taken[1]]) == ["next"])
    }

    @Test func positionsComeBackFromTheirTextAndOthersDont() {
        let mark = PodLogPosition.mark("docker://1")
        let place = LogPosition(
            anchor: 1_767_323_045,
            count: Int.max,
            first: FrameMark(time: Timestamp(nanosecondsSince1970: .max), digest: .max),
            last: FrameMark(time: Timestamp(nanosecondsSince1970: .max), digest: .max),
            alike: 1
        )
        for position in [PodLogPosition(container: mark, place: nil), PodLogPosition(container: mark, place: place)] {
            #expect(PodLogPosition(text: position.text) == position && position.text.utf8.count <= 200)
        }
        for text in ["", "k1", "k1.", "k1.xyz", "k2.\(mark)", "k1.\(mark).", "k1.\(mark).1.2", "\(mark)"] {
            #expect(PodLogPosition(text: text) == nil, "\(text)")
        }
        #expect(PodLogPosition.mark("a") != PodLogPosition.mark("b"))
    }

    @Test func anyBytesAreLinesAndNeverMoreThanCame() {
        let log = Array("\(Self.stamp)one\n\(Self.stamp)two\r\n\(Self.stamp)".utf8)
        let position = Array(PodLogPosition(container: PodLogPosition.mark("a"), place: nil).text.utf8)
        var mutator = Mutator([log, position], words: [Self.stamp], seed: 7)
        for _ in 0..<2000 {
            let bytes = mutator.next()
            let all = lines([bytes], longest: 20)
            #expect(all.reduce(0) { $0 + $1.bytes.count + $1.cut } <= bytes.count)
            for line in all { #expect(line.bytes.count <= 20) }
            _ = PodLogPosition(text: String(decoding: bytes, as: UTF8.self))
            var reader = PodLogReader(after: nil)
            // Whatever comes is a line or an error.
            do throws(K8sError) { _ = try reader.add(bytes) } catch { #expect(error.code == .badAnswer) }
        }
    }
}
