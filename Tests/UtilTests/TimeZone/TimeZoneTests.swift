import Foundation
import Testing
import Util

@Suite struct TimeZoneTests {
    /// Python's reading of another copy of the database; see `Corpus/make-zones.py`.
    @Test func pythonAgreesOnEveryChange() throws {
        let file = try #require(Bundle.module.url(forResource: "Corpus/zones", withExtension: "tsv"))
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        var times: [String: [Int64]] = [:]
        for line in lines {
            let columns = line.split(separator: "\t")
            let numbers = columns.dropFirst().compactMap { Int64($0) }
            try #require(numbers.count == 3)
            let zone = try TimeZoneDatabase.system.rules(named: String(columns[0]))
            #expect(zone.offset(atSecondsSince1970: numbers[0] - 1) == numbers[1], "\(line)")
            #expect(zone.offset(atSecondsSince1970: numbers[0]) == numbers[2], "\(line)")
            times[zone.name, default: []].append(numbers[0])
        }
        #expect(times.count > 12)
        // And there are no others.
        let span = try time("1985-01-01T00:00:00Z").secondsSince1970..<time("2025-01-01T00:00:00Z").secondsSince1970
        for (name, times) in times {
            let zone = try TimeZoneDatabase.system.rules(named: name)
            #expect(zone.changes(inSecondsSince1970: span) == times.filter(span.contains), "\(name)")
        }
    }

    /// Every name, and a fixed time of each.
    @Test func everyZoneOfTheDatabaseIsRead() throws {
        let list = try String(contentsOfFile: TimeZoneDatabase.system.directory + "/tzdata.zi", encoding: .utf8)
        let names = list.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            switch words.first {
            case "Z": return String(words[1])
            case "L": return String(words[2])
            default: return nil
            }
        }
        #expect(names.count > 400)
        for name in names {
            let zone = try TimeZoneDatabase.system.rules(named: name)
            let cron = try CronExpression("TZ=\(name) 30 2 * * *")
            let now = try time("2024-06-15T12:00:00Z")
            let next = try #require(cron.next(after: now))
            let local = next.secondsSince1970 + zone.offset(atSecondsSince1970: next.secondsSince1970)
            #expect((local % 86_400 + 86_400) % 86_400 == 9000, "\(name)")
            #expect(next.secondsSince1970 - now.secondsSince1970 <= 86_400)
        }
    }

    @Test(arguments: [
        "", ".", "..", "../UTC", "../../../etc/passwd", "/etc/passwd", "/UTC", "UTC/", "Europe//Berlin",
        "Europe/./Berlin",
        "Europe/../Europe/Berlin", "Europe", "europe/berlin", "Nowhere", "zone.tab", "tzdata.zi", "Local", "localtime",
        "posixrules", "Europe/Berlin\u{0}", "Europe\u{0}/Berlin", " UTC", "UTC ", "Europe/Berlin\n", "Zürich", "GMT+25",
        "CET-1CEST,M3.5.0,M10.5.0/3", ":UTC", "%2e%2e/UTC", "utc", "UTC/x", "Europe/Berlin/x",
        String(repeating: "A", count: 65), String(repeating: "A/", count: 500_000),
    ])
    func whatIsNoZoneIsUnknown(name: String) {
        let error = #expect(throws: CronError.self) { try TimeZoneDatabase.system.rules(named: name) }
        #expect(error?.code == .unknownZone)
        #expect(error?.column == nil)
        #expect((error?.message.utf8.count ?? 0) < 400)
    }

    @Test func zonesAreReadOnceAndShared() throws {
        let database = TimeZoneDatabase.system
        #expect(try database.rules(named: "Asia/Tokyo") === database.rules(named: "Asia/Tokyo"))
        #expect(try database.rules(named: "UTC") === TimeZoneRules.utc)
        #expect(try database.rules(named: "Etc/UTC") === TimeZoneRules.utc)
        #expect(try database.rules(named: "Europe/Berlin") != database.rules(named: "Europe/Paris"))
    }

    @Test func aMissingDatabaseNamesThePackage() throws {
        let database = TimeZoneDatabase(directory: "/nowhere/zoneinfo")
        let error = #expect(throws: CronError.self) {
            try CronExpression(" TZ=Europe/Berlin * * * * *", zones: database)
        }
        #expect(error?.code == .zonesUnavailable)
        #expect(error?.column == 5)
        #expect(error?.isRetryable == true)
        #expect(error?.message.contains("tzdata") == true)
        #expect(error?.message.contains("/nowhere/zoneinfo") == true)
        // UTC works everywhere.
        #expect(try CronExpression("TZ=UTC * * * * *", zones: database).zone == .utc)
    }
}
