import Foundation
import TestSupport
import Testing
import Util

/// Files written here, good and broken.
@Suite struct TimeZoneFileTests {
    /// A folder with one zone, "Test/Zone", for as long as the closure runs.
    private func withZone<Result>(_ bytes: [UInt8], _ body: (TimeZoneDatabase) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "zones-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "Test"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(bytes).write(to: folder.appending(path: "Test/Zone"))
        return try body(TimeZoneDatabase(directory: folder.path))
    }

    /// A TZif file of version 2 or later.
    private func file(
        version: UInt8 = UInt8(ascii: "3"),
        changes: [(Int64, UInt8)] = [],
        offsets: [Int32] = [0],
        leapSeconds: UInt32 = 0,
        footer: String = "UTC0"
    ) -> [UInt8] {
        func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        func header(_ counts: [UInt32]) -> [UInt8] {
            Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15) + counts.flatMap { big($0) }
        }
        var bytes = header([0, 0, 0, 0, 1, 4]) + [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        bytes += header([0, 0, leapSeconds, UInt32(changes.count), UInt32(offsets.count), 4])
        bytes += changes.flatMap { big($0.0) } + changes.map(\.1) + offsets.flatMap { big($0) + [0, 0] }
        bytes += Array("ABC\0".utf8) + [UInt8](repeating: 0, count: 12 * Int(leapSeconds))
        return bytes + Array("\n\(footer)\n".utf8)
    }

    /// The changes of a year by a footer alone, with the offset after each.
    @Test(
        arguments: [
            ("CET-1CEST,M3.5.0,M10.5.0/3", ["2030-03-31T01:00:00Z +7200", "2030-10-27T01:00:00Z +3600"]),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", ["2030-03-31T01:00:00Z +3600", "2030-10-27T01:00:00Z +0"]),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", ["2030-03-31T01:00:00Z -3600", "2030-10-27T01:00:00Z -7200"]),
            ("EET-2EEST,M3.4.4/50,M10.4.4/50", ["2030-03-30T00:00:00Z +10800", "2030-10-25T23:00:00Z +7200"]),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", ["2030-04-06T15:00:00Z +37800", "2030-10-05T15:30:00Z +39600"]),
            ("AAA0BBB,J60/0,J61/0", ["2030-03-01T00:00:00Z +3600", "2030-03-01T23:00:00Z +0"]),
            ("AAA0BBB,59/0,60/0", ["2030-03-01T00:00:00Z +3600", "2030-03-01T23:00:00Z +0"]),
            ("AAA+1:02:03BBB-1:02:03,J1/0,J2/0", ["2030-01-01T01:02:03Z +3723", "2030-01-01T22:57:57Z -3723"]),
            ("AAA0BBB,M2.1.5/167,M12.5.2/-167", ["2030-02-07T23:00:00Z +3600", "2030-12-24T00:00:00Z +0"]),
            // Daylight time all year, as RFC 9636 writes it.
            ("EST5EDT,0/0,J365/25", []),
            ("AAA-5:30", []), ("<+13>-13", []), ("AAA24", []), ("AAAA-24:59:59", []),
        ] as [(String, [String])]
    )
    func footersForetell(footer: String, expected: [String]) throws {
        try withZone(file(footer: footer)) { database in
            let zone = try database.rules(named: "Test/Zone")
            let span = try time("2030-01-01T00:00:00Z").secondsSince1970..<time("2031-01-01T00:00:00Z").secondsSince1970
            let found = zone.changes(inSecondsSince1970: span).map { change in
                let offset = zone.offset(atSecondsSince1970: change)
                return "\(Timestamp(secondsSince1970: change)) \(offset < 0 ? "" : "+")\(offset)"
            }
            #expect(found == expected)
            if footer.hasPrefix("EST5EDT,0/0") {
                #expect(zone.offset(atSecondsSince1970: span.lowerBound + 200 * 86_400) == -4 * 3600)
            }
        }
    }

    @Test func leapYearsCountInFooters() throws {
        try withZone(file(footer: "AAA0BBB,J60/0,60/0")) { database in
            let zone = try database.rules(named: "Test/Zone")
            // J60 is always 1 March; 60 counts 29 February, and is then the same day.
            #expect(try zone.offset(atSecondsSince1970: time("2031-02-28T23:59:59Z").secondsSince1970) == 0)
            #expect(try zone.offset(atSecondsSince1970: time("2031-03-01T00:00:00Z").secondsSince1970) == 3600)
        }
    }

    @Test func listedChangesComeBeforeTheFooter() throws {
        let changes: [(Int64, UInt8)] = [(-1_000_000_000, 1), (0, 2), (1_000_000, 2), (1_577_836_800, 0)]
        let bytes = file(changes: changes, offsets: [3600, -1234, 0], footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        try withZone(bytes) { database in
            let zone = try database.rules(named: "Test/Zone")
            for (second, offset) in [
                (-1_000_000_001, 3600), (-1_000_000_000, -1234), (-1, -1234), (0, 0), (1_000_000, 0),
                (1_577_836_799, 0), (1_577_836_800, 3600), (1_585_443_600 + 86_400, 7200), (9_000_000_000, 3600),
                (9_010_000_000, 7200),
            ] as [(Int64, Int64)] {
                #expect(zone.offset(atSecondsSince1970: second) == offset, "\(second)")
            }
            #expect(
                zone.changes(inSecondsSince1970: -2_000_000_000..<1_577_836_801) == [-1_000_000_000, 0, 1_577_836_800]
            )
        }
    }

    @Test(arguments: [
        "CET", "CET-", "C-1", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,J0,J1", "CET-1CEST,J366,J1", "CET-1CEST,366,1", "<CET-1", "<>-1",
        "CET-1CEST,M3.5.0,M10.5.0x", "CET-1:60", "CET-1CEST,M3,M10", "é-1", "CET-1 ",
    ])
    func brokenFootersAreAnError(footer: String) throws {
        try expectBroken(file(footer: footer))
    }

    @Test func brokenFilesAreAnError() throws {
        let good = file(changes: [(0, 0), (100, 1)], offsets: [0, 3600], footer: "AAA-1")
        _ = try withZone(good) { try $0.rules(named: "Test/Zone") }
        // Cut anywhere, but for the last line end.
        for length in 4..<good.count { try expectBroken(Array(good.prefix(length))) }
        try expectBroken(file(version: 0))
        try expectBroken(file(changes: [(100, 0), (0, 0)]))
        try expectBroken(file(changes: [(0, 0), (0, 0)]))
        try expectBroken(file(changes: [(0, 1)]))
        try expectBroken(file(offsets: []))
        try expectBroken(file(offsets: [93_601]))
        try expectBroken(file(changes: [(.max, 0)]))
        try expectBroken(file(leapSeconds: 1))
        var huge = good
        for index in 20..<44 { huge[index] = 0x7F }
        try expectBroken(huge)
        for index in 20..<44 { huge[index] = 0xFF }
        try expectBroken(huge)
    }

    /// Any bytes are rules or an error.
    @Test func damagedFilesAreAnswered() throws {
        let good = file(changes: [(0, 0), (100, 1)], offsets: [0, 3600], footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        var random = SeededGenerator(seed: 9)
        for _ in 0..<500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 4..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try withZone(bytes) { database in
                do {
                    let zone = try database.rules(named: "Test/Zone")
                    let cron = try CronExpression("30 2 * * *", zone: zone)
                    let now = Timestamp(secondsSince1970: 1_700_000_000)
                    #expect(try #require(cron.next(after: now)) > now)
                } catch let error as CronError {
                    #expect(error.code == .zonesUnavailable)
                }
            }
        }
    }

    private func expectBroken(_ bytes: [UInt8]) throws {
        try withZone(bytes) { database in
            let error = #expect(throws: CronError.self) { try database.rules(named: "Test/Zone") }
            #expect(error?.code == .zonesUnavailable)
            #expect(error?.message.contains("Test/Zone") == true)
        }
    }
}
