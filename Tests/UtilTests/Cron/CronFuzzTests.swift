import Foundation
import TestSupport
import Testing
import Util

/// F64: any text is a value or an error, at once.
@Suite struct CronFuzzTests {
    /// The kept texts, one a line; `\uXXXX`, `\n`, `\r` and `\\` as in JSON.
    static let corpus: [String] = {
        let file = Bundle.module.url(forResource: "Corpus/cron-hostile", withExtension: "txt")
        let lines = file.flatMap { try? String(contentsOf: $0, encoding: .utf8) }?.split(separator: "\n") ?? []
        return lines.map { line in
            let quoted = "[\"" + line.replacingOccurrences(of: "\"", with: "\\\"") + "\"]"
            return (try? JSONDecoder().decode([String].self, from: Data(quoted.utf8)))?.first ?? String(line)
        }
    }()

    private func check(_ text: String) throws {
        let now = Timestamp(secondsSince1970: 1_700_000_000)
        let limit = Duration.milliseconds(20 * Fuzzing.patience)
        var duration = Duration.zero
        var answer: Result<CronExpression, CronError>?
        // A search that goes astray takes seconds; the first time may pay for what is set up once.
        for _ in 0..<2 {
            duration = processorTime {
                do throws(CronError) {
                    let cron = try CronExpression(text, seed: "bot")
                    _ = (cron.next(after: now), cron.previous(before: now))
                    answer = .success(cron)
                } catch {
                    answer = .failure(error)
                }
            }
            if duration < limit { break }
        }
        try #require(duration < limit, "\(text)")
        switch try #require(answer) {
        case .success(let cron):
            let again = try CronExpression(cron.canonical)
            try #require(again == cron && again.canonical == cron.canonical, "\(text)")
            try #require(!cron.describe().isEmpty)
            if let next = cron.next(after: now) {
                try #require(next > now && next.nanosecondsSince1970 % 1_000_000_000 == 0, "\(text)")
            }
        case .failure(let error):
            let column = try #require(error.column, "\(text): \(error)")
            try #require((1...text.unicodeScalars.count + 1).contains(column), "\(text): \(error)")
            try #require(error.message.utf8.count < 500, "\(text): \(error)")
            try #require(error.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
        }
    }

    @Test func f64HostileTextsAreAnswered() throws {
        #expect(Self.corpus.count > 90)
        for text in Self.corpus { try check(text) }
    }

    @Test func f64MutatedTextsAreAnswered() throws {
        var random = SeededGenerator(seed: 64)
        let pieces = [
            "*", "/", "-", ",", "#", "L", "W", "H", "(", ")", " ", "0", "7", "59", "TZ=", "@every ", "?", "\u{0}", "é",
            "MON", "jan", "\u{A0}",
        ]
        for _ in 0..<4_000 * CronDifferentialTests.rounds {
            var scalars = Array((Self.corpus.randomElement(using: &random) ?? "").unicodeScalars)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0...scalars.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where index < scalars.count: scalars.remove(at: index)
                case 1:
                    let other = Self.corpus.randomElement(using: &random) ?? ""
                    scalars.replaceSubrange(index..., with: other.unicodeScalars.suffix(12))
                default:
                    scalars.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").unicodeScalars, at: index)
                }
            }
            try check(String(String.UnicodeScalarView(scalars)))
        }
    }

    @Test func f64RandomBytesAreAnswered() throws {
        var random = SeededGenerator(seed: 65)
        for _ in 0..<2_000 * CronDifferentialTests.rounds {
            let count = Int.random(in: 0...40, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            try check(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Long lists are within the limit as well.
    @Test func f64TheLongestTextsAreAnswered() throws {
        for piece in ["0,", "0-59/1,", "*,", "5#5,", "H,", "MON,", "L-3,", "31W,"] {
            for field in 0..<5 {
                var fields = ["*", "*", "*", "*", "*"]
                let count = (CronExpression.longestText - 10) / piece.utf8.count
                fields[field] = String(String(repeating: piece, count: count).dropLast())
                try check(fields.joined(separator: " "))
            }
        }
    }
}
