import Testing
import Util

/// F61: what runs on days of clock change, in both directions, in several zones. Times are local with their offset.
@Suite struct CronClockChangeTests {
    /// An expression, its zone, and its runs within a span.
    struct Case: Sendable, CustomTestStringConvertible {
        var zone: String
        var expression: String
        var span: (String, String)
        var runs: [String]

        var testDescription: String { "\(zone) \(expression)" }

        init(_ zone: String, _ expression: String, _ start: String, _ end: String, _ runs: [String]) {
            self.zone = zone
            self.expression = expression
            self.span = (start, end)
            self.runs = runs
        }
    }

    private func check(_ test: Case) throws {
        let cron = try CronExpression("TZ=\(test.zone) \(test.expression)")
        let (start, end) = (try time(test.span.0), try time(test.span.1))
        let expected = try test.runs.map(time)
        #expect(runs(cron, from: start, to: end) == expected)
        #expect(runsBackwards(cron, from: start, to: end) == expected)
        // The same by the parameter instead of the prefix.
        let other = try CronExpression(test.expression, zone: TimeZoneDatabase.system.rules(named: test.zone))
        #expect(other == cron)
    }

    private static let march = ("2024-03-31T00:30:00+01:00", "2024-03-31T04:00:00+02:00")
    private static let october = ("2024-10-27T00:30:00+02:00", "2024-10-27T04:00:00+01:00")

    private static func berlin(_ expression: String, march: [String], october: [String]) -> [Case] {
        [
            Case("Europe/Berlin", expression, Self.march.0, Self.march.1, march),
            Case("Europe/Berlin", expression, Self.october.0, Self.october.1, october),
        ]
    }

    private static let table: [Case] = [
        // The table in CronExpression's documentation, in its order.
        berlin("30 2 * * *", march: ["2024-03-31T03:00:00+02:00"], october: ["2024-10-27T02:30:00+02:00"]),
        berlin(
            "0,30 2 * * *",
            march: ["2024-03-31T03:00:00+02:00"],
            october: ["2024-10-27T02:00:00+02:00", "2024-10-27T02:30:00+02:00"]
        ),
        berlin(
            "0 2,3 * * *",
            march: ["2024-03-31T03:00:00+02:00"],
            october: ["2024-10-27T02:00:00+02:00", "2024-10-27T03:00:00+01:00"]
        ),
        berlin("0 9 * * *", march: [], october: []),
        berlin(
            "0 * * * *",
            march: ["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"],
            october: [
                "2024-10-27T01:00:00+02:00", "2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00",
                "2024-10-27T03:00:00+01:00",
            ]
        ),
        berlin(
            "*/30 1-3 * * *",
            march: [
                "2024-03-31T01:00:00+01:00", "2024-03-31T01:30:00+01:00", "2024-03-31T03:00:00+02:00",
                "2024-03-31T03:30:00+02:00",
            ],
            october: [
                "2024-10-27T01:00:00+02:00", "2024-10-27T01:30:00+02:00", "2024-10-27T02:00:00+02:00",
                "2024-10-27T02:30:00+02:00", "2024-10-27T02:00:00+01:00", "2024-10-27T02:30:00+01:00",
                "2024-10-27T03:00:00+01:00", "2024-10-27T03:30:00+01:00",
            ]
        ),
        berlin(
            "*/30 2 * * *",
            march: [],
            october: [
                "2024-10-27T02:00:00+02:00", "2024-10-27T02:30:00+02:00", "2024-10-27T02:00:00+01:00",
                "2024-10-27T02:30:00+01:00",
            ]
        ),
        berlin(
            "*/30 59 2 * * *",
            march: ["2024-03-31T03:00:00+02:00"],
            october: ["2024-10-27T02:59:00+02:00", "2024-10-27T02:59:30+02:00"]
        ),
        berlin(
            "0-59 2 * * *",
            march: [],
            october: (0..<120).map {
                "2024-10-27T02:\($0 % 60 < 10 ? "0" : "")\($0 % 60):00+0\($0 < 60 ? 2 : 1):00"
            }
        ),
    ].flatMap(\.self)

    @Test(arguments: table)
    func f61BerlinsClockChangesAreAsDocumented(test: Case) throws {
        try check(test)
    }

    @Test(arguments: [
        // Half an hour.
        Case(
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2024-10-06T00:00:00+10:30",
            "2024-10-07T00:00:00+11:00",
            ["2024-10-06T02:30:00+11:00"]
        ),
        Case(
            "Australia/Lord_Howe",
            "45 1 * * *",
            "2024-04-07T00:00:00+11:00",
            "2024-04-08T00:00:00+10:30",
            ["2024-04-07T01:45:00+11:00"]
        ),
        Case(
            "Australia/Lord_Howe",
            "0 * * * *",
            "2024-10-06T00:30:00+10:30",
            "2024-10-06T04:00:00+11:00",
            ["2024-10-06T01:00:00+10:30", "2024-10-06T03:00:00+11:00"]
        ),
        Case(
            "Australia/Lord_Howe",
            "45 * * * *",
            "2024-04-07T00:30:00+11:00",
            "2024-04-07T03:00:00+10:30",
            [
                "2024-04-07T00:45:00+11:00", "2024-04-07T01:45:00+11:00", "2024-04-07T01:45:00+10:30",
                "2024-04-07T02:45:00+10:30",
            ]
        ),
        // Two hours.
        Case(
            "Antarctica/Troll",
            "30 1 * * *",
            "2024-03-31T00:00:00Z",
            "2024-04-01T00:00:00+02:00",
            ["2024-03-31T03:00:00+02:00"]
        ),
        Case(
            "Antarctica/Troll",
            "30 1,2 * * *",
            "2024-10-27T00:00:00+02:00",
            "2024-10-28T00:00:00Z",
            ["2024-10-27T01:30:00+02:00", "2024-10-27T02:30:00+02:00"]
        ),
        // At midnight: the day begins at one.
        Case(
            "America/Sao_Paulo",
            "0 0 * * *",
            "2018-11-03T12:00:00-03:00",
            "2018-11-05T12:00:00-02:00",
            ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
        ),
        Case(
            "America/Sao_Paulo",
            "30 0 4 11 *",
            "2018-11-01T00:00:00-03:00",
            "2018-12-01T00:00:00-02:00",
            ["2018-11-04T01:00:00-02:00"]
        ),
        Case(
            "America/Sao_Paulo",
            "30 23 * * *",
            "2018-02-17T12:00:00-02:00",
            "2018-02-18T12:00:00-03:00",
            ["2018-02-17T23:30:00-02:00"]
        ),
        Case(
            "Asia/Beirut",
            "0 0 * * SUN",
            "2024-03-30T12:00:00+02:00",
            "2024-04-01T00:00:00+03:00",
            ["2024-03-31T01:00:00+03:00"]
        ),
        Case(
            "Africa/Cairo",
            "15 0 26 4 *",
            "2024-04-25T00:00:00+02:00",
            "2024-04-28T00:00:00+03:00",
            ["2024-04-26T01:00:00+03:00"]
        ),
        Case(
            "Africa/Cairo",
            "30 23 * * *",
            "2024-10-31T12:00:00+03:00",
            "2024-11-01T12:00:00+02:00",
            ["2024-10-31T23:30:00+03:00"]
        ),
        // Back for Ramadan, forward after it.
        Case(
            "Africa/Casablanca",
            "30 2 * * *",
            "2024-03-10T00:00:00+01:00",
            "2024-03-11T00:00:00Z",
            ["2024-03-10T02:30:00+01:00"]
        ),
        Case(
            "Africa/Casablanca",
            "30 2 * * *",
            "2024-04-14T00:00:00Z",
            "2024-04-15T00:00:00+01:00",
            ["2024-04-14T03:00:00+01:00"]
        ),
        // Winter is the time that is called daylight saving.
        Case(
            "Europe/Dublin",
            "30 1 * * *",
            "2024-03-31T00:00:00Z",
            "2024-04-01T00:00:00+01:00",
            ["2024-03-31T02:00:00+01:00"]
        ),
        Case(
            "Europe/Dublin",
            "30 1 * * *",
            "2024-10-27T00:00:00+01:00",
            "2024-10-28T00:00:00Z",
            ["2024-10-27T01:30:00+01:00"]
        ),
        // 30 December 2011 was left out: its runs are at its end, as one.
        Case(
            "Pacific/Apia",
            "0 9,17 * * *",
            "2011-12-29T00:00:00-10:00",
            "2012-01-01T00:00:00+14:00",
            [
                "2011-12-29T09:00:00-10:00", "2011-12-29T17:00:00-10:00", "2011-12-31T00:00:00+14:00",
                "2011-12-31T09:00:00+14:00", "2011-12-31T17:00:00+14:00",
            ]
        ),
        Case(
            "Pacific/Apia",
            "0 */12 * * *",
            "2011-12-29T00:00:00-10:00",
            "2012-01-01T00:00:00+14:00",
            [
                "2011-12-29T00:00:00-10:00", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00",
                "2011-12-31T12:00:00+14:00",
            ]
        ),
        Case(
            "Pacific/Apia",
            "0 9 30 12 *",
            "2010-12-31T00:00:00-10:00",
            "2013-01-01T00:00:00+14:00",
            ["2011-12-31T00:00:00+14:00", "2012-12-30T09:00:00+14:00"]
        ),
        // A whole day twice, and a whole day left out.
        Case(
            "Pacific/Kwajalein",
            "0 12 * * *",
            "1993-08-20T00:00:00-12:00",
            "1993-08-23T00:00:00+12:00",
            ["1993-08-20T12:00:00-12:00", "1993-08-22T00:00:00+12:00", "1993-08-22T12:00:00+12:00"]
        ),
        Case(
            // 19 October 1867 until 15:33:32, then the 18th from the same time on: noon of the 19th came first.
            "America/Juneau",
            "0 12 * * *",
            "1867-10-16T12:00:00Z",
            "1867-10-20T12:00:00Z",
            ["1867-10-16T20:57:41Z", "1867-10-17T20:57:41Z", "1867-10-18T20:57:41Z"]
        ),
        // By the rule for the future, far beyond the lists.
        Case(
            "America/New_York",
            "30 2 * * *",
            "2199-03-10T00:00:00-05:00",
            "2199-03-11T00:00:00-04:00",
            ["2199-03-10T03:00:00-04:00"]
        ),
        Case(
            "America/New_York",
            "30 1 * * *",
            "2199-11-03T00:00:00-04:00",
            "2199-11-04T00:00:00-05:00",
            ["2199-11-03T01:30:00-04:00"]
        ),
    ])
    func f61EveryZonesClockChangesRunOnceEach(test: Case) throws {
        try check(test)
    }

    /// supercronic's loop: asked again from the run it gave, an expression goes on.
    @Test(arguments: ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia"])
    func f61AskingAgainAlwaysGoesOn(zone: String) throws {
        for text in ["30 2 * * *", "0 0 * * *", "59 23 * * *", "*/7 * * * *", "0 */3 * * SUN", "15 0 ? * SUN#1"] {
            let cron = try CronExpression("TZ=\(zone) \(text)")
            var now = try time("2010-06-01T00:00:00Z")
            for _ in 0..<2_000 {
                let next = try #require(cron.next(after: now))
                try #require(next > now)
                try #require(cron.previous(before: next.advanced(by: .nanoseconds(1))) == next)
                now = next
            }
        }
    }

    /// kubernetes #42649: after a long downtime the answer is as quick as ever.
    @Test func f61ALongDowntimeCostsNothing() throws {
        let cron = try CronExpression("TZ=Europe/Berlin * * * * * *")
        let start = try time("1970-01-01T00:00:00Z")
        #expect(cron.next(after: start) == start.advanced(by: .seconds(1)))
        let later = try time("2250-06-01T00:00:00.5Z")
        #expect(try cron.previous(before: later) == time("2250-06-01T00:00:00Z"))
    }
}
