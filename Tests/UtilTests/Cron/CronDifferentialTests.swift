import Foundation
import TestSupport
import Testing
import Util

/// Random expressions at random instants against ``CronOracle``.
///
/// `CRON_DIFFERENTIAL_ROUNDS` (1) multiplies the work: 200 in a release build compare some millions of answers.
@Suite struct CronDifferentialTests {
    static let rounds = ProcessInfo.processInfo.environment["CRON_DIFFERENTIAL_ROUNDS"].flatMap(Int.init) ?? 1

    static let zones = [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca",
        "Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Europe/Dublin", "Pacific/Chatham",
        "Asia/Tehran",
    ]

    /// Every change of clock in twenty years, and a time without one.
    static func changes(_ zone: TimeZoneRules) throws -> [Int] {
        let start = try time("2006-01-01T00:00:00Z").secondsSince1970
        let end = try time("2026-01-01T00:00:00Z").secondsSince1970
        return zone.changes(inSecondsSince1970: start..<end).map(Int.init) + [Int(start) + 200 * 86_400]
    }

    @Test(arguments: zones)
    func everyChangeOfTwentyYears(name: String) throws {
        let zone = try TimeZoneDatabase.system.rules(named: name)
        let changes = try Self.changes(zone)
        var generator = CronGenerator(random: SeededGenerator(seed: name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
        for change in changes {
            // A day to come before, since what was shown then isn't due again; a skipped day has to fit in.
            let window = Window(zone: zone, start: change - 30 * 3600, end: change + 30 * 3600, step: 60)
            for _ in 0..<Self.rounds {
                try window.compare(&generator, seconds: false)
            }
        }
    }

    @Test(arguments: ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"])
    func secondBySecond(name: String) throws {
        let zone = try TimeZoneDatabase.system.rules(named: name)
        let changes = try Self.changes(zone)
        var generator = CronGenerator(random: SeededGenerator(seed: UInt64(name.utf8.count)))
        for _ in 0..<6 * Self.rounds {
            let change = changes[generator.number(0...changes.count - 1)]
            let window = Window(zone: zone, start: change - 5400, end: change + 5400, step: 1)
            try window.compare(&generator, seconds: true)
        }
    }

    /// Far answers: in UTC, day by day.
    @Test func rareDays() throws {
        var generator = CronGenerator(random: SeededGenerator(seed: 7))
        var compared = 0
        for _ in 0..<200 * Self.rounds {
            let (text, fields) = generator.expression()
            let oracle = CronOracle(fields: fields)
            let start = generator.number(0...20_000)
            let cron: CronExpression
            do {
                cron = try CronExpression(text)
            } catch {
                #expect(error.code == .neverFires, "\(text): \(error)")
                // Within 45 years every date has had most days of the week.
                #expect(!CronOracle.calendar[start..<start + 16_500].contains(where: oracle.matches), "\(text)")
                continue
            }
            let first = (fields.hours.min() ?? 0) * 3600 + (fields.minutes.min() ?? 0) * 60
            let last = (fields.hours.max() ?? 0) * 3600 + (fields.minutes.max() ?? 0) * 60
            // Another day's runs begin and end the same.
            let now = Timestamp(secondsSince1970: Int64(start * 86_400))
            let later = CronOracle.calendar[start...].firstIndex(where: oracle.matches)
            let earlier = CronOracle.calendar[..<start].lastIndex(where: oracle.matches)
            if let later {
                let expected = Timestamp(secondsSince1970: Int64(later * 86_400 + first))
                try #require(cron.next(after: now.advanced(by: .nanoseconds(-1))) == expected, "\(text) after \(now)")
            }
            if let earlier {
                let expected = Timestamp(secondsSince1970: Int64(earlier * 86_400 + last))
                try #require(cron.previous(before: now) == expected, "\(text) before \(now)")
            }
            compared += 1
            try #require(CronExpression(cron.canonical) == cron, "\(text), \(cron.canonical)")
        }
        #expect(compared > 0)
    }
}

/// A span of time with what the clock shows at each step.
private struct Window {
    let zone: TimeZoneRules
    let start: Int
    let step: Int
    let shown: [Int]
    /// From here on the oracle knows what was shown before.
    let settled: Int

    init(zone: TimeZoneRules, start: Int, end: Int, step: Int) {
        self.zone = zone
        // Clocks whose offset isn't of whole minutes were gone before 2006.
        self.start = start - start % step
        self.step = step
        shown = stride(from: self.start, to: end, by: step).map { $0 + Int(zone.offset(atSecondsSince1970: Int64($0))) }
        settled = self.start + step
    }

    func compare(_ generator: inout CronGenerator, seconds: Bool) throws {
        let (text, fields) = generator.expression(seconds: seconds)
        let cron: CronExpression
        do {
            cron = try CronExpression(text, zone: zone)
        } catch {
            guard error.code == .neverFires else {
                Issue.record("\(text): \(error)")
                return
            }
            return
        }
        let runs = CronOracle(fields: fields).runs(start: start, step: step, shown: shown)
        let end = start + shown.count * step
        // Around every run (or some of many), and anywhere.
        var instants = runs.shuffled(using: &generator.random).prefix(30).flatMap { [$0 - 1, $0, $0 + 1] }
        for _ in 0..<30 { instants.append(generator.number(settled...end - 1)) }
        for instant in instants where instant >= settled && instant < end {
            let now = Timestamp(secondsSince1970: Int64(instant))
            let next = runs.first { $0 > instant }
            let foundNext = cron.next(after: now).map { Int($0.secondsSince1970) }
            if let next {
                try #require(foundNext == next, "\(zone) \(text) after \(now)")
            } else {
                try #require(foundNext ?? end >= end, "\(zone) \(text) after \(now)")
            }
            let previous = runs.last { $0 < instant }
            let foundPrevious = cron.previous(before: now).map { Int($0.secondsSince1970) }
            if let previous {
                try #require(foundPrevious == previous, "\(zone) \(text) before \(now)")
            } else {
                try #require(foundPrevious ?? 0 < settled, "\(zone) \(text) before \(now)")
            }
        }
        try #require(CronExpression(cron.canonical) == cron, "\(text), \(cron.canonical)")
    }
}
