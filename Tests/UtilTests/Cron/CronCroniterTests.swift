import Foundation
import Testing
import Util

/// What croniter says, where it means the same; see `Corpus/make-croniter.py`.
@Suite struct CronCroniterTests {
    @Test func croniterAgrees() throws {
        let file = try #require(Bundle.module.url(forResource: "Corpus/croniter", withExtension: "tsv"))
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 700)
        for line in lines {
            let columns = line.split(separator: "\t")
            let cron = try CronExpression(String(columns[0]))
            let times = columns.dropFirst().compactMap { Int64($0) }.map(Timestamp.init(secondsSince1970:))
            try #require(times.count == 5, "\(line)")
            #expect(cron.previous(before: times[0]) == times[1], "\(line)")
            var now = times[0]
            for expected in times[2...] {
                #expect(cron.next(after: now) == expected, "\(line)")
                now = expected
            }
        }
    }
}
