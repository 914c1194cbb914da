import TestSupport
import Testing

@testable import Util

/// Plain cron for readers such as Kubernetes: never other times than the expression has.
@Suite struct CronStandardTests {
    private static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe",
        "Africa/Casablanca",
        "America/Havana", "America/Santiago", "Africa/Cairo", "Pacific/Chatham", "Asia/Beirut", "Europe/Dublin",
    ]
    private static let begin: Int64 = 1_767_225_600  // 2026-01-01

    private func standard(_ text: String, zone: String = "UTC", seed: String? = nil) throws -> StandardCron {
        let rules = try TimeZoneDatabase.system.rules(named: zone)
        let expression = try CronExpression(text, zone: rules, seed: seed)
        return try expression.standard(from: Timestamp(secondsSince1970: Self.begin))
    }

    private func refusal(_ text: String, zone: String = "UTC") throws -> String {
        do {
            let found = try standard(text, zone: zone)
            return "none, but \(found.fields)"
        } catch let error as StandardCronError {
            return error.description
        }
    }

    @Test(arguments: [
        ("*/15 9-17 * * MON-FRI", "*/15 9-17 * * 1-5"),
        ("0 22-2 * * *", "0 0-2,22,23 * * *"),
        ("0 0 ? * FRI-MON", "0 0 * * 0,1,5,6"),
        ("0 0 */2 * *", "0 0 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * *"),
        ("0 0 */2 * MON", "0 0 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31 * 1"),
        ("0 0 1-31 * SUN", "0 0 1-31 * 0"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 12 13 * 5", "0 12 13 * 5"),
        ("0 0 1 11-2 *", "0 0 1 1,2,11,12 *"),
        ("0 30 4 1 1 *", "30 4 1 1 *"),
        ("@weekly", "0 0 * * 0"),
        ("@every 5m", "*/5 * * * *"),
        ("@every 1m", "* * * * *"),
        ("@every 1h", "0 * * * *"),
        ("@every 6h", "0 */6 * * *"),
        ("@every 24h", "0 0 * * *"),
    ])
    func whatPlainCronCanSay(text: String, fields: String) throws {
        #expect(try standard(text).fields == fields)
    }

    @Test func spreadBecomesNumbers() throws {
        let found = try standard("H H(0-3) * * *", seed: "bot-7")
        let numbers = found.fields.split(separator: " ")
        #expect(numbers.prefix(2).allSatisfy { Int($0) != nil })
        #expect(try standard("H H(0-3) * * *", seed: "bot-7") == found)
    }

    @Test(arguments: [
        ("*/10 * * * * *", "has seconds"), ("30 0 9 * * *", "has seconds"),
        ("0 0 L * *", "has days with L, W or #"), ("0 0 15W * *", "has days with L, W or #"),
        ("0 0 * * 5#3", "has days with L, W or #"), ("0 0 * * 5L", "has days with L, W or #"),
        ("@every 90m", "is @every 1h30m0s, of which an hour or a day is no multiple"),
        ("@every 7s", "is @every 7s, of which an hour or a day is no multiple"),
        ("@every 48h", "is @every 48h0m0s, of which an hour or a day is no multiple"),
    ])
    func whatItCannotSay(text: String, reason: String) throws {
        #expect(try refusal(text) == reason)
    }

    @Test func fixedTimesThatClocksLeaveOutOrRepeat() throws {
        let reason = "has a fixed time from 2:00 on, an hour that clocks leave out or repeat in Europe/Berlin"
        #expect(try refusal("30 2 * * *", zone: "Europe/Berlin") == reason)
        #expect(try standard("30 9 * * 1-5", zone: "Europe/Berlin").fields == "30 9 * * 1-5")
        // What follows the clock does so there as well.
        #expect(try standard("*/30 2 * * *", zone: "Europe/Berlin").fields == "*/30 2 * * *")
        #expect(try standard("30 2 * * *", zone: "Asia/Tokyo").fields == "30 2 * * *")
        #expect(try refusal("0 9 * * *", zone: "America/Havana").contains("at midnight or by part of an hour"))
        #expect(try refusal("0 9 * * *", zone: "Australia/Lord_Howe").contains("at midnight or by part of an hour"))
    }

    /// The oracle itself: what robfig/cron's documentation and tests say of clock changes, where it isn't ours.
    @Test func theOracleDiffersWhereRobfigDoes() throws {
        let berlin = try TimeZoneDatabase.system.rules(named: "Europe/Berlin")
        let oracle = try #require(RobfigOracle("30 2 * * *", zone: berlin))
        func runs(_ from: String, _ count: Int) throws -> [String] {
            var (time, found) = (try RFC3339.parse(from).secondsSince1970, [String]())
            for _ in 0..<count {
                time = try #require(oracle.next(after: time))
                found.append(Timestamp(secondsSince1970: time).description)
            }
            return found
        }
        // 29 March 2026 has no 02:30, 25 October has two.
        #expect(try runs("2026-03-28T00:00:00Z", 2) == ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"])
        #expect(
            try runs("2026-10-24T12:00:00Z", 3) == [
                "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z",
            ]
        )
        #expect(RobfigOracle("0 22-2 * * *", zone: berlin) == nil)
        #expect(RobfigOracle("0 0 * * 7", zone: berlin) == nil)
    }

    /// Whatever is translated runs at the times of the original: by our own reading of the text, and as robfig/cron goes about it,
    /// also where clocks change.
    @Test(arguments: 1...40)
    func f50ATranslatedExpressionHasTheSameTimes(seed: Int) throws {
        var generator = CronGenerator(random: SeededGenerator(seed: UInt64(seed)))
        var translated = 0
        for _ in 0..<60 {
            let (text, _) = generator.expression(seconds: generator.chance(5))
            let zone = try TimeZoneDatabase.system.rules(named: Self.zones[generator.number(0...Self.zones.count - 1)])
            guard let original = try? CronExpression(text, zone: zone),
                let found = try? original.standard(from: Timestamp(secondsSince1970: Self.begin))
            else { continue }
            translated += 1
            let ours = try CronExpression(found.fields, zone: found.zone)
            let robfig = try #require(RobfigOracle(found.fields, zone: found.zone), "\(found.fields)")
            let changes = zone.changes(inSecondsSince1970: Self.begin..<Self.begin + 3 * 366 * 86_400)
            let starts =
                changes.map { $0 - 90_000 } + [Self.begin, Self.begin + Int64(generator.number(0...90_000_000))]
            for start in starts {
                var time = start
                for _ in 0..<80 {
                    guard let next = original.next(after: Timestamp(secondsSince1970: time))?.secondsSince1970,
                        next < start + 4 * 366 * 86_400
                    else { break }
                    let again = ours.next(after: Timestamp(secondsSince1970: time))?.secondsSince1970
                    let theirs = robfig.next(after: time)
                    guard next == again, next == theirs else {
                        Issue.record(
                            "\(text) in \(zone.name) as \(found.fields): \(next), \(again ?? 0), \(theirs ?? 0)"
                        )
                        return
                    }
                    time = next
                }
            }
        }
        #expect(translated > 5)
    }
}
