import Testing
import Util

@Suite struct CronErrorTests {
    @Test(
        arguments: [
            // What robfig/cron accepts by accident.
            ("+5 * * * *", CronError.Code.malformed, 1), ("*/+5 * * * *", .malformed, 3),
            ("1,,3 * * * *", .malformed, 3),
            (",1 * * * *", .malformed, 1), ("1, * * * *", .malformed, 3), (", * * * *", .malformed, 1),
            ("*-5 * * * *", .malformed, 2), ("?-5 * * * *", .malformed, 2), ("*5 * * * *", .malformed, 2),
            ("5-*/2 * * * *", .malformed, 3), ("1-+5 * * * *", .malformed, 3),
            ("@every -1h", .invalidInterval, 8), ("@every 0s", .invalidInterval, 8),
            ("@every 500ms", .invalidInterval, 8),
            ("@every 1.5s", .invalidInterval, 8), ("TZ= * * * * *", .unknownZone, 4),
            // What it refuses, too.
            ("60 * * * *", .outOfRange, 1), ("-1 * * * *", .malformed, 1), ("0 24 * * *", .outOfRange, 3),
            ("0 0 0 * *", .outOfRange, 5), ("0 0 32 * *", .outOfRange, 5), ("0 0 1 0 *", .outOfRange, 7),
            ("0 0 1 13 *", .outOfRange, 7), ("0 0 * * 8", .outOfRange, 9), ("60 0 0 * * *", .outOfRange, 1),
            ("5-60 * * * *", .outOfRange, 3), ("5-7-9 * * * *", .malformed, 4), ("5- * * * *", .malformed, 3),
            ("-5 * * * *", .malformed, 1), ("1--5 * * * *", .malformed, 3), ("*/0 * * * *", .outOfRange, 3),
            ("1-5/0 * * * *", .outOfRange, 5), ("*/ * * * *", .malformed, 3), ("*/2/3 * * * *", .malformed, 4),
            ("/5 * * * *", .malformed, 1), ("*/-5 * * * *", .malformed, 3), ("*/x * * * *", .malformed, 3),
            ("x * * * *", .unknownName, 1), ("0 x * * *", .unknownName, 3), ("0 0 1 FOO *", .unknownName, 7),
            ("0 0 * * MONDAY", .unknownName, 9), ("0 0 * * MON-FOO", .unknownName, 13),
            ("0 0 * * JAN", .unknownName, 9),
            ("0 0 1 MON *", .unknownName, 7), ("JAN * * * *", .unknownName, 1), ("0 0 MON * *", .unknownName, 5),
            ("0x5 * * * *", .malformed, 2), ("1.5 * * * *", .malformed, 2), ("1e1 * * * *", .malformed, 2),
            ("99999999999999999999999999 * * * *", .outOfRange, 1), ("5\u{0} * * * *", .malformed, 2),
            ("é * * * *", .malformed, 1), ("0 é * * *", .malformed, 3), ("é é", .fieldCount, 4),
            ("５ * * * *", .malformed, 1), ("٣ * * * *", .malformed, 1),
            // How many fields.
            ("", .empty, 1), ("   ", .empty, 1), ("\n\t", .empty, 1), ("5", .fieldCount, 2),
            ("* * * *", .fieldCount, 8),
            ("* * * * * * 2024", .fieldCount, 13), ("é * * * * * *", .fieldCount, 13), ("* * * *  ", .fieldCount, 8),
            // Shorthands.
            ("@", .unknownShorthand, 1), ("@reboot", .unknownShorthand, 1), (" @never", .unknownShorthand, 2),
            ("@daily x", .fieldCount, 8), ("@every", .invalidInterval, 7), ("@every ", .invalidInterval, 8),
            ("@every 1h 30m", .invalidInterval, 11), ("@every 1", .invalidInterval, 8),
            ("@every x", .invalidInterval, 8),
            ("@every 9999999h", .invalidInterval, 8), ("@every1h", .unknownShorthand, 1),
            ("@daily@daily", .unknownShorthand, 1), ("* @daily", .fieldCount, 9),
            // Days of their own form.
            ("0 0 0W * *", .outOfRange, 5), ("0 0 32W * *", .outOfRange, 5), ("0 0 W * *", .unknownName, 5),
            ("0 0 LL * *", .malformed, 6), ("0 0 L-0 * *", .outOfRange, 7), ("0 0 L-31 * *", .outOfRange, 7),
            ("0 0 L- * *", .malformed, 7), ("0 0 L-x * *", .malformed, 7), ("0 0 L-3W * *", .malformed, 8),
            ("0 0 LW-3 * *", .malformed, 7), ("0 0 15W/2 * *", .malformed, 8), ("0 0 1W-5W * *", .malformed, 7),
            ("0 0 1-5W * *", .malformed, 8), ("0 0 15# * *", .malformed, 7), ("0 0 * * 5#0", .outOfRange, 11),
            ("0 0 * * 5#6", .outOfRange, 11), ("0 0 * * 5#", .malformed, 11), ("0 0 * * 5#x", .malformed, 11),
            ("0 0 * * #3", .malformed, 9), ("0 0 * * L", .unknownName, 9), ("0 0 * * 5W", .malformed, 10),
            ("0 0 * * 5L-3", .malformed, 11), ("0 0 * * MON-5L", .malformed, 14), ("0 0 * * 8L", .outOfRange, 9),
            ("L * * * *", .unknownName, 1), ("0 L * * *", .unknownName, 3), ("0 0 1 L *", .unknownName, 7),
            ("0 0 1 JANL *", .unknownName, 7), ("0 0 * * FRILL", .unknownName, 9),
            // Spread.
            ("H * * * *", .seedMissing, 1), ("0 H(0-7) * * *", .seedMissing, 3), ("0 H/2 * * *", .seedMissing, 3),
            // Never.
            ("0 0 30 2 *", .neverFires, 5), ("0 0 31 2,4,6,9,11 *", .neverFires, 5), ("0 0 0 31 Apr ?", .neverFires, 7),
            ("0 0 30-31 FEB *", .neverFires, 5), ("0 0 31W 4 *", .neverFires, 5), ("0 0 L-29 2 *", .neverFires, 5),
            ("TZ=Europe/Berlin 0 0 30 2 ?", .neverFires, 22),
            // Zones.
            ("TZ=Nowhere/City * * * * *", .unknownZone, 4), ("CRON_TZ=Mars * * * * *", .unknownZone, 9),
            ("TZ=europe/berlin * * * * *", .unknownZone, 4), ("tz=UTC * * * * *", .unknownName, 1),
            (" TZ=Nowhere * * * * *", .unknownZone, 5),
        ] as [(String, CronError.Code, Int)]
    )
    func errorsPointAtTheirColumn(text: String, code: CronError.Code, column: Int) {
        let error = cronError(text)
        let found = error?.description ?? "accepted"
        #expect(error?.code == code, "\(found)")
        #expect(error?.column == column, "\(found)")
        #expect(error?.isRetryable == false)
    }

    @Test(arguments: [
        ("61 * * * *", "column 1: \"61\" is no minute: allowed are 0 to 59, *, ranges a-b, steps /n, lists a,b and H"),
        ("0 0 * * MONDAY", "column 9: \"MONDAY\" is no day of the week: allowed are 0 to 7 or SUN to SAT, * or ?, "),
        ("0 0 30 2 *", "column 5: it never fires: in the months given, no day fits"),
        ("1,,3 * * * *", "column 3: a value is missing in the list for the minute"),
        ("*-5 * * * *", "column 2: \"-5\" isn't understood in the minute: allowed are 0 to 59, *, "),
        ("*/0 * * * *", "column 3: a step of 0 in the minute: allowed are numbers from 1"),
        ("* * *", "column 6: there are 3 fields: allowed are five (minute, hour, day of the month, month, day of the "),
        ("x", "column 2: there is 1 field: allowed are five"),
        ("@nightly", "column 1: \"@nightly\" is unknown: allowed are @yearly, @annually, @monthly, @weekly, @daily, "),
        ("TZ=Mars/Base 0 0 * * *", "column 4: time zone \"Mars/Base\" is unknown: write a name of the time-zone "),
        ("@every 1.5s", "column 8: duration \"1.5s\" isn't one of whole seconds"),
        ("@every 10", "column 8: duration \"10\" lacks a unit: allowed are h, m, s, ms, us (or µs) and ns"),
        ("H * * * *", "column 1: H chooses by a bot's id, and there is none here: write a number"),
        ("0 0 L-31 * *", "column 7: L-31 is no day: allowed are L-1 to L-30"),
    ])
    func errorsSayWhatIsAllowed(text: String, expected: String) {
        let message = cronError(text)?.description ?? "accepted"
        #expect(message.hasPrefix(expected), "\(message)")
    }

    // MARK: F64

    @Test(arguments: ["TZ=UTC", "TZ=", "CRON_TZ=UTC", "CRON_TZ=", "TZ=UTC ", "TZ=UTC\n", "CRON_TZ=Europe/Berlin   "])
    func f64ATimeZoneAloneIsAnError(text: String) {
        let error = cronError(text)
        #expect(error?.code == .fieldCount || error?.code == .unknownZone)
        #expect(error?.column != nil)
    }

    @Test(arguments: [
        "0 0 30 2 *", "0 0 31 4,6 *", "0 0 31 2 ?", "0 0 0 30-31 2 *", "0 0 31W 2,4 *", "0 0 L-30 4 *",
    ])
    func f64WhatNeverFiresIsSaidAtOnce(text: String) {
        var error: CronError?
        let duration = (0..<20).map { _ in processorTime { error = cronError(text) } }.min() ?? .seconds(1)
        #expect(error?.code == .neverFires)
        #expect(duration < .milliseconds(1))
    }

    @Test(arguments: [
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("0 0 ? 2 MON#5", "2024-01-01T00:00:00Z", "2044-02-29T00:00:00Z"),
        ("0 0 ? 2 MON#5", "2072-03-01T00:00:00Z", "2112-02-29T00:00:00Z"),
        ("0 0 ? 2 FRI#5", "2008-02-29T00:00:00Z", "2036-02-29T00:00:00Z"),
        ("0 0 L-28 2 *", "2096-03-01T00:00:00Z", "2104-02-01T00:00:00Z"),
        ("TZ=America/New_York 30 2 ? 2 SAT#5", "2180-03-01T00:00:00Z", "2212-02-29T07:30:00Z"),
    ])
    func f64RareDaysAreFoundInMicroseconds(text: String, now: String, expected: String) throws {
        let cron = try CronExpression(text)
        let start = try time(now)
        var found: Timestamp?
        let duration = (0..<20).map { _ in processorTime { found = cron.next(after: start) } }.min() ?? .seconds(1)
        #expect(try found == time(expected))
        // Some microseconds in release; debug builds on a busy machine get the benefit of the doubt.
        #expect(duration < .milliseconds(2))
    }

    @Test(arguments: [" ", "*", "5,", "x", "é", "@", "H", "\u{0}", "TZ=", "1-", "L", "\u{A0}", "* * * * * "])
    func f64AMegabyteIsRefusedAtOnce(piece: String) {
        let text = String(repeating: piece, count: 1_000_000 / piece.utf8.count)
        var error: CronError?
        let duration = (0..<5).map { _ in processorTime { error = cronError(text) } }.min() ?? .seconds(1)
        #expect(error?.code == .tooLong)
        #expect(duration < .milliseconds(1))
        #expect((error?.description.utf8.count ?? 0) < 200)
        // Just within the limit it is looked at, and is still answered in no time.
        let long = String(text.unicodeScalars.prefix(CronExpression.longestText / 2))
        let slow = (0..<5).map { _ in processorTime { error = cronError(long, seed: "a") } }.min() ?? .seconds(1)
        #expect(error != nil)
        #expect(slow < .milliseconds(20))
    }
}
