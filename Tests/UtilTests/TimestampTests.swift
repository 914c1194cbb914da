import Foundation
import Testing
import Util

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", Int64(0)),
        ("2026-11-24T08:15:23.947389765Z", 1_795_508_123_947_389_765),
        ("2026-11-24T08:15:23.9Z", 1_795_508_123_900_000_000),
        ("2026-11-24T10:15:23.9+02:00", 1_795_508_123_900_000_000),
        ("2026-11-23T22:45:23.9-09:30", 1_795_508_123_900_000_000),
        ("2026-11-24t08:15:23z", 1_795_508_123_000_000_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-11-24T08:15:23.9473897659999999999999999999Z", 1_795_508_123_947_389_765),
        ("1677-09-21T00:12:43.145224192Z", .min),
        ("2262-04-11T23:47:16.854775807Z", .max),
    ])
    func engineTimesAreRead(text: String, expected: Int64) throws {
        #expect(try RFC3339.parse(text).nanosecondsSince1970 == expected)
        #expect(try RFC3339.parseEngineTime(text)?.nanosecondsSince1970 == expected)
    }

    @Test(arguments: [
        "", "0", "2026-11-24", "2026-11-24T08:15:23", "2026-11-24 08:15:23Z", "2026-13-24T08:15:23Z",
        "2026-00-24T08:15:23Z", "2026-11-00T08:15:23Z", "2026-11-31T08:15:23Z", "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T08:60:23Z", "2026-11-24T23:59:60Z",
        "2026-11-24T08:15:23.Z", "2026-11-24T08:15:23,5Z", "2026-11-24T08:15:23+2:00", "2026-11-24T08:15:23+24:00",
        "2026-11-24T08:15:23+02:60", "2026-11-24T08:15:23+0200", "2026-11-24T08:15:23ZZ", " 2026-11-24T08:15:23Z",
        "-026-11-24T08:15:23Z", "2026-11-24T08:15:2３Z", "+2026-11-24T08:15:23Z", "2026-11-24T08:15:23Z\n",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1677-09-21T00:12:43.145224191Z",
        "2262-04-11T23:47:16.854775808Z",
    ])
    func anythingElseIsAnError(text: String) {
        let error = #expect(throws: UtilError.self) { try RFC3339.parse(text) }
        #expect(error?.code == .invalidTimestamp)
    }

    @Test func theEnginesZeroIsNil() throws {
        #expect(try RFC3339.parseEngineTime("0001-01-01T00:00:00Z") == nil)
        #expect(throws: UtilError.self) { try RFC3339.parseEngineTime("") }
        #expect(throws: UtilError.self) { try RFC3339.parseEngineTime("0001-01-01T00:00:01Z") }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_508_123_947, "2026-11-24T08:15:23.947Z"), (951_782_400_007, "2000-02-29T00:00:00.007Z"),
        (Int64.min, "0000-01-01T00:00:00.000Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
    ])
    func millisecondsAreWritten(milliseconds: Int64, expected: String) {
        #expect(RFC3339.string(millisecondsSince1970: milliseconds) == expected)
    }

    @Test func datesAgreeWithFoundationsOnEveryDayOfFourCenturies() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for day in stride(from: Int64(0), to: 146_097, by: 1) {
            let seconds = (day - 100_000) * 86_400
            let parts = calendar.dateComponents(
                [.year, .month, .day],
                from: Date(timeIntervalSince1970: Double(seconds))
            )
            let expected = [parts.year ?? -1, parts.month ?? -1, parts.day ?? -1]
            let text = RFC3339.string(millisecondsSince1970: seconds * 1_000)
            guard text.prefix(10).split(separator: "-").map({ Int($0) ?? -2 }) == expected else {
                Issue.record("\(text) should be \(expected)")
                return
            }
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        for _ in 0..<2_000 {
            let timestamp = Timestamp(nanosecondsSince1970: .random(in: .min ... .max))
            #expect(try RFC3339.parse(timestamp.description) == timestamp)
        }
    }

    @Test func arithmeticStopsAtTheEnds() {
        let first = Timestamp(nanosecondsSince1970: .min)
        let last = Timestamp(nanosecondsSince1970: .max)
        #expect(last.advanced(by: .nanoseconds(1)) == last)
        #expect(first.advanced(by: .seconds(Int64.min)) == first)
        #expect(Timestamp(nanosecondsSince1970: 5).advanced(by: .seconds(-1)).nanosecondsSince1970 == -999_999_995)
        #expect(first.duration(since: last) == .nanoseconds(Int64.min) - .nanoseconds(Int64.max))
        #expect(Timestamp(secondsSince1970: .max) == last)
        #expect(Timestamp(millisecondsSince1970: .min) == first)
        #expect(Timestamp(nanosecondsSince1970: -1).millisecondsSince1970 == -1)
        #expect(Timestamp(nanosecondsSince1970: -1).secondsSince1970 == -1)
    }

    @Test func nowIsTheWallClock() {
        let before = Date().timeIntervalSince1970
        let now = Double(Timestamp.now.nanosecondsSince1970) / 1e9
        #expect(now >= before - 1 && now <= Date().timeIntervalSince1970 + 1)
    }
}
