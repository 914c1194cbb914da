import Foundation
import Testing
import Util

/// The tables of docs/cron.md, held against the code.
@Suite struct CronPageTests {
    /// The rows below a heading, without their backticks.
    private func rows(under heading: String) throws -> [[String]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let page = try String(contentsOf: root.appending(path: "docs/cron.md"), encoding: .utf8)
        let section = try #require(page.range(of: "## \(heading)\n"), "\(heading)")
        let end = page[section.upperBound...].range(of: "\n## ")?.lowerBound ?? page.endIndex
        let lines = page[section.upperBound..<end].split(separator: "\n").filter { $0.hasPrefix("| `") }
        return lines.map { line in
            line.dropFirst(2).dropLast(2).components(separatedBy: " | ").map {
                $0.trimmingCharacters(in: CharacterSet(charactersIn: "`"))
            }
        }
    }

    @Test func examplesMeanWhatThePageSays() throws {
        let rows = try rows(under: "Examples")
        #expect(rows.count > 10)
        for row in rows { #expect(try CronExpression(row[0]).describe() == row[1]) }
    }

    @Test func formsAreAccepted() throws {
        let rows = try rows(under: "What a field may hold")
        #expect(rows.count > 8)
        for row in rows {
            for form in row[0].components(separatedBy: "`, `") {
                let isDay = row[1] == "day of the month"
                let isWeekday = row[1] == "day of the week" || form.contains("MON")
                let isMonth = form.contains("NOV")
                let text =
                    isDay
                    ? "0 0 \(form) * ?"
                    : isWeekday ? "0 0 ? * \(form)" : isMonth ? "0 0 1 \(form) *" : "\(form) * * * *"
                #expect(throws: Never.self, "\(text)") { try CronExpression(text, seed: "bot") }
            }
        }
    }

    @Test func errorsAreAsThePageSays() throws {
        let rows = try rows(under: "Errors")
        #expect(rows.count > 5)
        for row in rows { #expect(cronError(row[0])?.description == row[1]) }
    }

    @Test func clockChangesAreAsThePageSays() throws {
        let rows = try rows(under: "When clocks change")
        #expect(rows.count > 7)
        let zone = try TimeZoneDatabase.system.rules(named: "Europe/Berlin")
        let spans = [
            (try time("2024-03-31T00:30:00+01:00"), try time("2024-03-31T04:00:00+02:00")),
            (try time("2024-10-27T00:30:00+02:00"), try time("2024-10-27T04:00:00+01:00")),
        ]
        let back = try time("2024-10-27T01:00:00Z")
        for row in rows {
            let cron = try CronExpression(row[0], zone: zone)
            for (span, cell) in zip(spans, row.dropFirst()) {
                let found = runs(cron, from: span.0, to: span.1).map { run in
                    let local = run.secondsSince1970 + zone.offset(atSecondsSince1970: run.secondsSince1970)
                    let (hour, minute) = (local / 3600 % 24, local / 60 % 60)
                    let isRepeated = hour == 2 && span.0 == spans[1].0
                    let which = isRepeated ? run < back ? " (first)" : " (second)" : ""
                    return "0\(hour):\(minute < 10 ? "0" : "")\(minute)\(which)"
                }
                #expect(found.isEmpty ? cell == "–" : found.joined(separator: ", ") == cell, "\(row[0])")
            }
        }
    }
}
