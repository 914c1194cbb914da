import Control
import Model
import Testing
import Util

@testable import runtime_cli

@Suite struct ScheduleReportTests {
    private let now = Timestamp(secondsSince1970: 1_767_258_000)

    private func document(_ id: String, _ config: JSONObject, cursor: JSONValue? = nil, basis: String? = nil)
        -> JSONObject
    {
        var document: JSONObject = [
            "id": .string(id), "config": .object(config),
            "custom": [
                "version": "1.0.0", "filePath": "a.zip",
                "config": ["runtime": "python3.11", "entrypoints": ["bot": "main.py"], "type": "scheduled"],
            ],
        ]
        document["next_execution_time"] = cursor
        document["cursor_basis"] = basis.map { .string($0) }
        return document
    }

    private func report(_ document: JSONObject, last: RunRecord? = nil) -> ScheduleReport {
        ScheduleReport(StoredSchedule(document: document), last: last, now: now)
    }

    private func run(_ id: String = "a", slot: Slot = 1_767_258_000) throws -> RunRecord {
        RunRecord(
            id: try BotID(validating: id),
            slot: slot,
            owner: "o",
            claimedAt: now,
            notBefore: now,
            startBy: now.advanced(by: .seconds(60))
        )
    }

    @Test func aScheduleIsShownWithItsZoneAndItsNextSlot() {
        let config: JSONObject = ["schedule": "0 9 * * *", "execution": ["timezone": "Europe/Berlin"]]
        let report = report(document("a", config))
        #expect(report.expression == "0 9 * * *" && report.zone == "Europe/Berlin" && report.problem == nil)
        // 09:00 in Berlin has just been on New Year's Day of 2026 at 09:00 UTC.
        #expect(report.next.map { "\($0)" } == "2026-01-02T08:00:00Z")
    }

    @Test func aCursorCountsOnlyForTheExpressionItWasReckonedBy() throws {
        let schedule = try BotSchedule(document: document("a", ["schedule": "@daily"]))
        let basis = try ScheduleRule(schedule).basis
        let ours = report(document("a", ["schedule": "@daily"], cursor: 1_767_225_600, basis: basis))
        #expect(ours.next == Timestamp(secondsSince1970: 1_767_225_600))
        let others = report(document("a", ["schedule": "@daily"], cursor: 1_767_225_600, basis: "@weekly"))
        #expect(others.next.map { "\($0)" } == "2026-01-02T00:00:00Z")
    }

    @Test func whatIsOffHasNoNextSlot() {
        let table = ScheduleReport.table([
            report(document("a", ["schedule": "@daily", "enabled": false])),
            report(document("b", ["schedule": "@daily", "execution": ["suspend": true]])),
            report(document("c", ["schedule": 5, "enabled": false])),
        ])
        #expect(
            table == """
                SCHEDULE  EXPRESSION  ZONE  NEXT  LAST  PROBLEM
                a         @daily      UTC   off   -
                b         @daily      UTC   off   -
                c         -           -     off   -
                """
        )
    }

    @Test func whatIsBrokenSaysWhy() {
        let broken = report(document("a", ["schedule": "0 25 * * *"]))
        #expect(broken.problem?.contains("config.schedule") == true && broken.next == nil)
        let policy = report(document("a", ["schedule": "@daily", "execution": ["overlap": "sometimes"]]))
        #expect(policy.problem?.contains("config.execution.overlap") == true)
        #expect(report(document("a", [:])).problem?.contains("schedule") == true)
        #expect(report(["config": ["schedule": "@daily"]]).problem?.contains("id") == true)
    }

    @Test func jsonHasTheSameAndTheLastRun() throws {
        var last = try run()
        last.phase = .ended
        last.outcome = .failed
        last.exitCode = 3
        let json = ScheduleReport.json([report(document("a", ["schedule": "@daily"]), last: last)])
        let found = try #require(Self.rows(json, "schedules").first)
        #expect(found["id"] == "a" && found["enabled"] == true && found["timezone"] == "UTC")
        #expect(found["next"] == "2026-01-02T00:00:00Z" && found["problem"] == nil)
        #expect(found["last"]?.object?["exit_code"] == 3)
    }

    @Test func runsAreShownWithWhatBecameOfThem() throws {
        var ended = try run()
        ended.phase = .ended
        ended.startedAt = now.advanced(by: .milliseconds(120))
        ended.endedAt = now.advanced(by: .milliseconds(2_475))
        ended.outcome = .failed
        ended.exitCode = 3
        ended.attempt = 1
        var manual = try run(slot: Slot(1_767_258_000, trigger: .manual))
        manual.phase = .running
        manual.startedAt = now
        let skipped = RunRecord.skipped("a", 1_767_257_940, owner: "o", at: now, reason: "missed: for a reason")
        #expect(
            RunReport.table([manual, ended, skipped], now: now.advanced(by: .seconds(75))) == """
                SCHEDULE  SLOT                              STARTED               TOOK   OUTCOME  EXIT  REASON
                a         2026-01-01T09:00:00Z (asked for)  2026-01-01T09:00:00Z  1m15s  running  -
                a         2026-01-01T09:00:00Z              2026-01-01T09:00:00Z  2.36s  failed   3     attempt 2
                a         2026-01-01T08:59:00Z              -                     -      skipped  -     missed: for a reason
                """
        )
        let json = Self.rows(RunReport.json([ended]), "runs").first
        #expect(json?["outcome"] == "failed" && json?["slot"] == 1_767_258_000)
    }

    private static func rows(_ json: JSONValue, _ name: String) -> [JSONObject] {
        guard case .array(let rows)? = json.object?[name] else { return [] }
        return rows.compactMap(\.object)
    }
}
