import Testing
import Util

/// What goes beyond robfig/cron.
@Suite struct CronExtensionTests {
    /// An expression and its runs' dates within a year.
    @Test(
        arguments: [
            (
                "0 0 L * *", 2024,
                [
                    "01-31", "02-29", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30", "10-31",
                    "11-30", "12-31",
                ]
            ),
            ("0 0 l FEB *", 2023, ["02-28"]),
            ("0 0 L-3 1-4 *", 2024, ["01-28", "02-26", "03-28", "04-27"]),
            ("0 0 L-30 * *", 2024, ["01-01", "03-01", "05-01", "07-01", "08-01", "10-01", "12-01"]),
            ("0 0 LW 1-6 *", 2024, ["01-31", "02-29", "03-29", "04-30", "05-31", "06-28"]),
            // 15 June 2024 is a Saturday, 15 September a Sunday.
            ("0 0 15W 5-9 *", 2024, ["05-15", "06-14", "07-15", "08-15", "09-16"]),
            // Within the month: 1 June is a Saturday, 30 June a Sunday, 31 August a Saturday.
            ("0 0 1W 6,9 *", 2024, ["06-03", "09-02"]),
            ("0 0 30W 6 *", 2024, ["06-28"]),
            ("0 0 31W 4-8 *", 2024, ["05-31", "07-31", "08-30"]),
            ("0 0 1,15w,l 1-2 *", 2024, ["01-01", "01-15", "01-31", "02-01", "02-15", "02-29"]),
            ("0 0 * 1-3 5#3", 2024, ["01-19", "02-16", "03-15"]),
            ("0 0 ? * FRI#5", 2024, ["03-29", "05-31", "08-30", "11-29"]),
            ("0 0 ? 1-3 fril", 2024, ["01-26", "02-23", "03-29"]),
            ("0 0 ? 1 7#1,0L", 2024, ["01-07", "01-28"]),
            ("0 0 1 1 MON#2", 2024, ["01-01", "01-08"]),
            ("0 0 L 1 5L", 2024, ["01-26", "01-31"]),
            ("0 0 *,L 1 1#1", 2024, ["01-01"]),
            (
                "0 0 ? 1 FRI-MON", 2023,
                [
                    "01-01", "01-02", "01-06", "01-07", "01-08", "01-09", "01-13", "01-14", "01-15",
                    "01-16", "01-20", "01-21", "01-22", "01-23", "01-27", "01-28", "01-29", "01-30",
                ]
            ),
            ("0 0 ? 1 FRI-MON/2", 2024, ["01-05", "01-07", "01-12", "01-14", "01-19", "01-21", "01-26", "01-28"]),
            ("0 0 ? 1 5-7/2", 2024, ["01-05", "01-07", "01-12", "01-14", "01-19", "01-21", "01-26", "01-28"]),
            ("0 0 ? 1 7", 2024, ["01-07", "01-14", "01-21", "01-28"]),
            ("0 0 ? 2 7-1", 2023, ["02-05", "02-06", "02-12", "02-13", "02-19", "02-20", "02-26", "02-27"]),
            (
                "0 0 ? 2 7/3", 2023,
                [
                    "02-01", "02-04", "02-05", "02-08", "02-11", "02-12", "02-15", "02-18", "02-19", "02-22",
                    "02-25", "02-26",
                ]
            ),
            ("0 0 29-2 2,3 *", 2024, ["02-01", "02-02", "02-29", "03-01", "03-02", "03-29", "03-30", "03-31"]),
            ("0 0 1 nov-Feb *", 2024, ["01-01", "02-01", "11-01", "12-01"]),
            ("0 0 1 OCT-APR/3 ?", 2024, ["01-01", "04-01", "10-01"]),
        ] as [(String, Int, [String])]
    )
    func daysOfAYear(text: String, year: Int, dates: [String]) throws {
        let cron = try CronExpression(text)
        let start = try time("\(year)-01-01T00:00:00Z")
        let end = try time("\(year + 1)-01-01T00:00:00Z")
        let expected = try dates.map { try time("\(year)-\($0)T00:00:00Z") }
        #expect(runs(cron, from: start, to: end) == expected)
        #expect(runsBackwards(cron, from: start, to: end) == expected)
    }

    @Test(arguments: [
        ("0 22-2 * * *", [0, 60, 120, 22 * 60, 23 * 60]),
        ("0 22-2/2 * * *", [0, 120, 22 * 60]),
        ("58-1 5 * * *", [300, 301, 358, 359]),
        ("0 5-4 * * *", Array(stride(from: 0, to: 1440, by: 60))),
        ("50-10/20 0 * * *", [10, 50]),
    ])
    func rangesWrap(text: String, minutesOfDay: [Int]) throws {
        let cron = try CronExpression(text)
        let start = try time("2024-05-05T00:00:00Z")
        let found = runs(cron, from: start, to: start.advanced(by: .seconds(86_400)))
        #expect(found.map { Int($0.secondsSince1970 - start.secondsSince1970) / 60 } == minutesOfDay)
    }

    // MARK: Spread

    /// These never change: they say when existing bots run.
    @Test(arguments: [
        ("H * * * *", "bot-1", "5 * * * *"), ("H H(0-7) * * *", "bot-1", "5 2 * * *"),
    ])
    func spreadIsTheSameForEver(text: String, seed: String, canonical: String) throws {
        #expect(try CronExpression(text, seed: seed).canonical == canonical)
    }

    @Test func spreadStaysWithinItsRange() throws {
        let start = try time("2024-02-01T00:00:00Z")
        for number in 0..<500 {
            let seed = "bot-\(number)"
            let hourly = try CronExpression("H(10-19)/3 * * * *", seed: seed)
            let found = runs(hourly, from: start, to: start.advanced(by: .seconds(3600)))
            let minutes = found.map { Int($0.secondsSince1970 / 60 % 60) }
            try #require(minutes.allSatisfy { (10...19).contains($0) } && minutes.count >= 3)
            try #require(zip(minutes, minutes.dropFirst()).allSatisfy { $1 - $0 == 3 } && minutes[0] < 13)

            let night = try CronExpression("H H(22-2) * * *", seed: seed)
            let hour = try #require(night.next(after: start)).secondsSince1970 / 3600 % 24
            try #require([22, 23, 0, 1, 2].contains(hour))

            // Every month has the day.
            let monthly = try CronExpression("0 0 H * *", seed: seed)
            try #require(runs(monthly, from: start, to: start.advanced(by: .seconds(29 * 86_400))).count == 1)
            try #require(try CronExpression("H H H H H", seed: seed) == CronExpression("h h h h h", seed: seed))
        }
    }

    @Test(arguments: ["H * * * *", "0 H * * *", "H/15 * * * *", "0 0 * * H"])
    func spreadIsEven(text: String) throws {
        var counts: [String: Int] = [:]
        let choices = ["H * * * *": 60, "0 H * * *": 24, "H/15 * * * *": 15, "0 0 * * H": 7][text] ?? 0
        for number in 0..<choices * 100 {
            counts[try CronExpression(text, seed: "bot-\(number)").canonical, default: 0] += 1
        }
        #expect(counts.count == choices)
        // A hundred each, give or take five standard deviations.
        #expect(counts.values.allSatisfy { (50...150).contains($0) }, "\(counts)")
    }
}
