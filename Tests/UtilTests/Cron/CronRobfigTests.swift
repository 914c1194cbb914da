import Testing
import Util

/// What robfig/cron v3 does with the same text and time; its clock-change cases are where we differ, see
/// ``CronClockChangeTests``.
@Suite struct CronRobfigTests {
    /// Whether a time is a run of the expression.
    @Test(arguments: [
        ("2012-07-09T15:00:00Z", "0/15 * * * *", true),
        ("2012-07-09T15:45:00Z", "0/15 * * * *", true),
        ("2012-07-09T15:40:00Z", "0/15 * * * *", false),
        ("2012-07-09T15:05:00Z", "5/15 * * * *", true),
        ("2012-07-09T15:20:00Z", "5/15 * * * *", true),
        ("2012-07-09T15:50:00Z", "5/15 * * * *", true),
        ("2012-07-15T15:00:00Z", "0/15 * * Jul *", true),
        ("2012-07-15T15:00:00Z", "0/15 * * Jun *", false),
        ("2012-07-15T08:30:00Z", "30 08 ? Jul Sun", true),
        ("2012-07-15T08:30:00Z", "30 08 15 Jul ?", true),
        ("2012-07-16T08:30:00Z", "30 08 ? Jul Sun", false),
        ("2012-07-16T08:30:00Z", "30 08 15 Jul ?", false),
        ("2012-07-09T15:00:00Z", "@hourly", true),
        ("2012-07-09T15:04:00Z", "@hourly", false),
        ("2012-07-09T15:00:00Z", "@daily", false),
        ("2012-07-09T00:00:00Z", "@daily", true),
        ("2012-07-09T00:00:00Z", "@midnight", true),
        ("2012-07-09T00:00:00Z", "@weekly", false),
        ("2012-07-08T00:00:00Z", "@weekly", true),
        ("2012-07-08T01:00:00Z", "@weekly", false),
        ("2012-07-08T00:00:00Z", "@monthly", false),
        ("2012-07-01T00:00:00Z", "@monthly", true),
        ("2012-07-01T00:00:00Z", "@yearly", false),
        ("2012-01-01T00:00:00Z", "@yearly", true),
        ("2012-01-01T00:00:00Z", "@annually", true),
        // Both day fields are restricted: one is enough.
        ("2012-07-15T00:00:00Z", "* * 1,15 * Sun", true),
        ("2012-06-15T00:00:00Z", "* * 1,15 * Sun", true),
        ("2012-08-01T00:00:00Z", "* * 1,15 * Sun", true),
        ("2012-07-15T00:00:00Z", "* * */10 * Sun", true),
        ("2012-07-11T00:00:00Z", "* * */10 * Sun", true),
        ("2012-07-10T00:00:00Z", "* * */10 * Sun", false),
        // One of them is any: both have to fit.
        ("2012-07-15T00:00:00Z", "* * * * Mon", false),
        ("2012-07-09T00:00:00Z", "* * 1,15 * *", false),
        ("2012-07-15T00:00:00Z", "* * 1,15 * *", true),
        ("2012-07-15T00:00:00Z", "* * */2 * Sun", true),
        ("2012-07-16T00:00:00Z", "* * */1 * Sun", false),
        ("2012-07-16T00:00:00Z", "* * 1-31 * Sun", true),
        ("2012-07-16T00:00:00Z", "* * 3,* * Sun", false),
        ("2012-07-16T00:00:00Z", "* * ?/1 * Sun", false),
    ])
    func activations(at text: String, expression: String, isRun: Bool) throws {
        let instant = try time(text)
        let cron = try CronExpression(expression)
        #expect((cron.next(after: instant.advanced(by: .seconds(-1))) == instant) == isRun)
        #expect((cron.previous(before: instant.advanced(by: .seconds(1))) == instant) == isRun)
    }

    @Test(arguments: [
        ("2012-07-09T14:45:00Z", "0 0/15 * * * *", "2012-07-09T15:00:00Z"),
        ("2012-07-09T14:59:00Z", "0 0/15 * * * *", "2012-07-09T15:00:00Z"),
        ("2012-07-09T14:59:59Z", "0 0/15 * * * *", "2012-07-09T15:00:00Z"),
        ("2012-07-09T15:45:00Z", "0 20-35/15 * * * *", "2012-07-09T16:20:00Z"),
        ("2012-07-09T23:46:00Z", "0 */15 * * * *", "2012-07-10T00:00:00Z"),
        ("2012-07-09T23:45:00Z", "0 20-35/15 * * * *", "2012-07-10T00:20:00Z"),
        ("2012-07-09T23:35:51Z", "15/35 20-35/15 * * * *", "2012-07-10T00:20:15Z"),
        ("2012-07-09T23:35:51Z", "15/35 20-35/15 1/2 * * *", "2012-07-10T01:20:15Z"),
        ("2012-07-09T23:35:51Z", "15/35 20-35/15 10-12 * * *", "2012-07-10T10:20:15Z"),
        ("2012-07-09T23:35:51Z", "15/35 20-35/15 1/2 */2 * *", "2012-07-11T01:20:15Z"),
        ("2012-07-09T23:35:51Z", "15/35 20-35/15 * 9-20 * *", "2012-07-10T00:20:15Z"),
        ("2012-07-09T23:35:51Z", "15/35 20-35/15 * 9-20 Jul *", "2012-07-10T00:20:15Z"),
        ("2012-07-09T23:35:00Z", "0 0 0 9 Apr-Oct ?", "2012-08-09T00:00:00Z"),
        ("2012-07-09T23:35:00Z", "0 0 0 */5 Apr,Aug,Oct Mon", "2012-08-01T00:00:00Z"),
        ("2012-07-09T23:35:00Z", "0 0 0 */5 Oct Mon", "2012-10-01T00:00:00Z"),
        ("2012-07-09T23:35:00Z", "0 0 0 * Feb Mon", "2013-02-04T00:00:00Z"),
        ("2012-07-09T23:35:00Z", "0 0 0 * Feb Mon/2", "2013-02-01T00:00:00Z"),
        ("2012-12-31T23:59:45Z", "0 * * * * *", "2013-01-01T00:00:00Z"),
        ("2012-07-09T23:35:00Z", "0 0 0 29 Feb ?", "2016-02-29T00:00:00Z"),
        ("2012-07-09T23:35:00.5Z", "* * * * * *", "2012-07-09T23:35:01Z"),
        // Clock changes where robfig and we agree: times that exist once, and "every hour".
        ("2012-03-11T00:00:00-05:00", "TZ=America/New_York 0 30 2 11 Mar ?", "2012-03-11T03:00:00-04:00"),
        ("2012-03-11T00:00:00-05:00", "TZ=America/New_York 0 0 * * * ?", "2012-03-11T01:00:00-05:00"),
        ("2012-03-11T01:00:00-05:00", "TZ=America/New_York 0 0 * * * ?", "2012-03-11T03:00:00-04:00"),
        ("2012-03-11T03:00:00-04:00", "TZ=America/New_York 0 0 * * * ?", "2012-03-11T04:00:00-04:00"),
        ("2012-11-04T00:00:00-04:00", "TZ=America/New_York 0 30 2 04 Nov ?", "2012-11-04T02:30:00-05:00"),
        ("2012-11-04T01:00:00-04:00", "CRON_TZ=America/New_York 0 0 * * * ?", "2012-11-04T01:00:00-05:00"),
        ("2012-11-04T01:00:00-05:00", "CRON_TZ=America/New_York 0 0 * * * ?", "2012-11-04T02:00:00-05:00"),
        ("2012-03-11T00:00:00-05:00", "CRON_TZ=America/New_York 0 0 0 * * ?", "2012-03-12T00:00:00-04:00"),
        ("2018-10-17T05:00:00-04:00", "TZ=America/Sao_Paulo 0 0 9 10 * ?", "2018-11-10T06:00:00-05:00"),
        ("2018-02-14T05:00:00-05:00", "TZ=America/Sao_Paulo 0 0 9 22 * ?", "2018-02-22T07:00:00-05:00"),
        ("2012-07-09T14:45:00Z", "TZ=Asia/Tokyo 0 0 9 * * *", "2012-07-10T00:00:00Z"),
    ])
    func nextRuns(after text: String, expression: String, expected: String) throws {
        let cron = try CronExpression(expression)
        #expect(try cron.next(after: time(text)) == time(expected))
        // Nothing lies between: going back from there leads to the start or before it.
        #expect(try cron.previous(before: time(expected)).map { try $0 <= time(text) } ?? true)
    }

    /// Which values of a field a text stands for.
    @Test(arguments: [
        ("5", [5]), ("5,6", [5, 6]), ("5,6,7", [5, 6, 7]), ("1,5-7/2,3", [1, 3, 5, 7]), ("5-6", [5, 6]),
        ("5-7/2", [5, 7]), ("5-7/1", [5, 6, 7]), ("0/20", [0, 20, 40]), ("*/20", [0, 20, 40]), ("?/30", [0, 30]),
        ("55/2", [55, 57, 59]), ("*/90", [0]), ("58/1000000", [58]), ("08", [8]), ("007-009", [7, 8, 9]),
        ("0-0/1", [0]), ("3-3", [3]), ("10,10,10", [10]), ("*", Array(0...59)), ("0-59", Array(0...59)),
    ])
    func minutesOfAnHour(field: String, minutes: [Int]) throws {
        let cron = try CronExpression("\(field) 10 1 1 *")
        let start = try time("2024-01-01T00:00:00Z")
        let found = runs(cron, from: start, to: start.advanced(by: .seconds(86_400)))
        #expect(found.map { Int($0.secondsSince1970 / 60 % 60) } == minutes)
        #expect(found.allSatisfy { $0.secondsSince1970 / 3600 % 24 == 10 })
    }

    /// Go's `strings.Fields` splits at all of White_Space.
    @Test func spaceIsWhatUnicodeTakesForIt() throws {
        for value in UInt32(1)...0x3100 {
            guard let scalar = Unicode.Scalar(value), !("!"..."~").contains(scalar) else { continue }
            let isAccepted = cronError("5\(scalar)* * * *") == nil
            #expect(isAccepted == scalar.properties.isWhitespace, "U+\(String(value, radix: 16))")
        }
    }

    @Test(arguments: [
        "  5 * * * *", "5\t*\t*\t*\t*\n", "5 *   * *   *\r\n", "5\u{A0}* * *\u{3000}*", "\u{2003}5 * * * *\u{85}",
        "TZ=UTC   5 * * * *", "CRON_TZ=Etc/UTC\t5 * * * *", "0 5 * * * *", "5 * * * ?",
    ])
    func spaceIsAnySpace(text: String) throws {
        #expect(try CronExpression(text) == CronExpression("5 * * * *"))
    }

    @Test(arguments: [
        ("@every 1h30m", "2024-01-01T00:00:00Z", "2024-01-01T01:30:00Z"),
        ("@every 1s", "2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z"),
        ("@EVERY 24h", "2024-01-01T00:00:01Z", "2024-01-02T00:00:00Z"),
        ("TZ=Asia/Kolkata @every 1h", "2024-01-01T00:10:00Z", "2024-01-01T01:00:00Z"),
        ("@every 1m30s", "1969-12-31T23:59:00Z", "1970-01-01T00:00:00Z"),
    ])
    func intervalsAreCountedFrom1970(text: String, now: String, expected: String) throws {
        let cron = try CronExpression(text)
        let next = try #require(try cron.next(after: time(now)))
        #expect(try next == time(expected))
        #expect(cron.previous(before: next.advanced(by: .nanoseconds(1))) == next)
        #expect(try #require(cron.previous(before: next)) < next)
        #expect(try CronExpression(cron.canonical) == cron)
    }

    @Test func runsEndWhereTimestampsEnd() throws {
        let cron = try CronExpression("0 0 1 1 *")
        let last = Timestamp(nanosecondsSince1970: .max)
        #expect(cron.next(after: last) == nil)
        #expect(try cron.previous(before: last) == time("2262-01-01T00:00:00Z"))
        let first = Timestamp(nanosecondsSince1970: .min)
        #expect(try cron.next(after: first) == time("1678-01-01T00:00:00Z"))
        #expect(cron.previous(before: first) == nil)
        for text in ["* * * * * *", "@every 1s", "TZ=Europe/Berlin 30 2 * * *", "@every 2562047h"] {
            let cron = try CronExpression(text)
            #expect(cron.next(after: last) == nil)
            #expect(cron.previous(before: first) == nil)
            #expect(cron.previous(before: last) != nil)
            #expect(cron.next(after: first) != nil)
        }
    }
}
