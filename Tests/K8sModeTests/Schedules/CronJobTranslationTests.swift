import Control
import Model
import Testing
import Util

@testable import K8sMode

/// What a CronJob says for a schedule, and what it can't say.
@Suite struct CronJobTranslationTests {
    static let modern = CronJobServer(resource: .cronJobs, hasTimeZones: true)
    static let old = CronJobServer(resource: .cronJobsBeta, hasTimeZones: false, controllerZone: .utc)
    static let begin = Timestamp(secondsSince1970: 1_767_225_600)

    static func rule(_ expression: String, _ execution: JSONObject = [:]) throws -> ScheduleRule {
        try ScheduleRule(Samples.schedule("s", expression, execution))
    }

    private func translated(
        _ expression: String,
        _ execution: JSONObject = [:],
        on server: CronJobServer = modern
    ) throws -> CronJobTranslation {
        try CronJobTranslation(Self.rule(expression, execution), server: server, from: Self.begin)
    }

    private func limit(
        _ expression: String,
        _ execution: JSONObject = [:],
        on server: CronJobServer = modern
    ) throws -> String {
        do {
            return "none, but \(try translated(expression, execution, on: server).json.text)"
        } catch let limit as PlatformLimit {
            return limit.description
        }
    }

    @Test func timesAndZone() throws {
        let found = try translated("30 9 * * MON-FRI", ["timezone": "America/New_York"])
        #expect(found.schedule == "30 9 * * 1-5" && found.timeZone == "America/New_York")
        #expect(try translated("TZ=Europe/Berlin 0 12 * * *").timeZone == "Europe/Berlin")
        #expect(try translated("*/5 * * * *").timeZone == "UTC")
        // It counts from 1970 on, whatever the clocks of a place show.
        #expect(try translated("TZ=Europe/Berlin @every 6h").timeZone == "UTC")
    }

    @Test func f50WhatACronJobWouldDoDifferentlyIsNotTranslated() throws {
        #expect(try limit("*/10 * * * * *") == "config.schedule has seconds")
        #expect(try limit("0 18 L * *") == "config.schedule has days with L, W or #")
        #expect(try limit("0 18 * * FRI#2") == "config.schedule has days with L, W or #")
        #expect(try limit("@every 7m").hasPrefix("config.schedule is @every 7m0s"))
        #expect(try limit("30 2 * * *", ["timezone": "Europe/Berlin"]).contains("has a fixed time from 2:00 on"))
        #expect(try limit("0 9 * * *", ["missed": "all"]).hasPrefix("config.execution.missed is all"))
        #expect(try limit("0 9 * * *", ["jitter": "5m"]).hasPrefix("config.execution.jitter is set"))
        #expect(try limit("0 9 * * *", ["deadline": "9s"]).hasPrefix("config.execution.deadline is less than 10s"))
        #expect(try limit("* * * * *", ["deadline": "2h"]).contains("more than 100 slots"))
        #expect(
            try limit("0 9 * * *", ["retries": 2, "retry": ["initial": "1m"]]).hasPrefix(
                "config.execution.retry is set"
            )
        )
        #expect(
            try limit("0 9 * * *", on: CronJobServer(resource: nil, hasTimeZones: true))
                == "the cluster has no CronJobs"
        )
    }

    @Test func serversWithoutTimeZonesKeepOnlyWhatIsInTheirControllersZone() throws {
        #expect(try translated("0 9 * * *", on: Self.old).timeZone == nil)
        #expect(
            try limit("0 9 * * *", ["timezone": "Europe/Berlin"], on: Self.old)
                == "the cluster's CronJobs have no time zones, and its controller manager is in UTC, not in Europe/Berlin"
        )
        let berlin = try TimeZoneDatabase.system.rules(named: "Europe/Berlin")
        let there = CronJobServer(resource: .cronJobs, hasTimeZones: false, controllerZone: berlin)
        #expect(try translated("0 9 * * *", ["timezone": "Europe/Berlin"], on: there).timeZone == nil)
        #expect(try limit("0 9 * * *", on: there).hasSuffix("is in Europe/Berlin, not in UTC"))
        let unsaid = CronJobServer(resource: .cronJobs, hasTimeZones: false)
        #expect(try limit("0 9 * * *", on: unsaid).hasSuffix("may be in another one than UTC"))
    }

    @Test func lateSlotsAreBegunWithinTheStrictestDeadline() throws {
        #expect(try translated("* * * * *").startingDeadlineSeconds == 60)
        #expect(try translated("0 * * * *").startingDeadlineSeconds == 1800)
        // Half of eight hours, not of sixteen.
        #expect(try translated("0 9,17 * * *").startingDeadlineSeconds == 4 * 3600)
        #expect(try translated("0 9 * * *", ["deadline": "15m"]).startingDeadlineSeconds == 900)
        #expect(try translated("0 9 * * *", ["missed": "skip"]).startingDeadlineSeconds == 10)
        #expect(try translated("0 9 * * *", ["missed": "skip", "deadline": "1h"]).startingDeadlineSeconds == 10)
        #expect(try limit("0 9 * * *", ["missed": "skip"], on: Self.old).contains("every ten seconds only"))
    }

    @Test func f51AFailedRunIsNotRepeatedUnlessAsked() throws {
        let once = try translated("0 9 * * *")
        #expect(once.backoffLimit == 0 && once.podDeadlineSeconds == 3600 && once.jobDeadlineSeconds == 4200)
        let thrice = try translated("0 9 * * *", ["retries": 2, "timeout": "90s"])
        #expect(thrice.backoffLimit == 2 && thrice.podDeadlineSeconds == 90 && thrice.jobDeadlineSeconds == 3 * 690)
        let endless = try translated("0 9 * * *", ["timeout": 0])
        #expect(endless.podDeadlineSeconds == nil && endless.jobDeadlineSeconds == nil)
    }

    @Test(arguments: [
        ("forbid", CronJob.Concurrency.forbid), ("allow", .allow), ("replace", .replace),
    ])
    func overlap(word: String, policy: CronJob.Concurrency) throws {
        #expect(try translated("0 9 * * *", ["overlap": .string(word)]).concurrency == policy)
    }

    @Test func theSpecHasAllOfIt() throws {
        let found = try translated("0 9 * * *", ["timezone": "Asia/Tokyo", "timeout": "1m"])
        let spec = found.spec(labels: ["l": "1"], annotations: ["a": "2"], pod: ["restartPolicy": "Never"])
        #expect(spec["schedule"] == "0 9 * * *" && spec["timeZone"] == "Asia/Tokyo")
        #expect(spec["concurrencyPolicy"] == "Forbid" && spec["suspend"] == false)
        #expect(spec["successfulJobsHistoryLimit"] == 3 && spec["failedJobsHistoryLimit"] == 1)
        #expect(spec["startingDeadlineSeconds"] == 43_200)
        #expect(spec[["jobTemplate", "spec", "backoffLimit"]] == 0)
        #expect(spec[["jobTemplate", "spec", "activeDeadlineSeconds"]] == 660)
        let template = try #require(spec[["jobTemplate", "spec", "template"]]?.object)
        #expect(template[["spec", "restartPolicy"]] == "Never" && template[["spec", "activeDeadlineSeconds"]] == 60)
        #expect(template[["metadata", "labels", "l"]] == "1")
        #expect(spec[["jobTemplate", "metadata", "annotations", "a"]] == "2")
    }

    @Test func f49NamesNeitherCollideNorGrowTooLong() throws {
        let long = String(repeating: "long-name-", count: 30)
        let ids = [BotID(long + "a"), BotID(long + "b"), "A_b", "a-b", "a.b", "ends-in-", "x"]
        let names = ids.map { ScheduleNames(id: $0, isBySecond: false) }
        #expect(Set(names.map(\.cronJob)).count == ids.count)
        for name in names {
            #expect(name.cronJob.utf8.count <= 52)
            for slot in [Slot(1_767_258_000), Slot(1_767_258_001), Slot(1_767_258_000, trigger: .manual)] {
                #expect(name.job(slot).utf8.count <= 63)
            }
        }
    }

    @Test func aSlotsJobIsNamedAsTheClustersControllerNamesIt() {
        let names = ScheduleNames(id: "x", isBySecond: false)
        #expect(names.job(1_767_258_000) == "schedule-x-29454300")
        #expect(names.job(1_767_258_007) == "schedule-x-1767258007")
        #expect(names.job(Slot(1_767_258_000, trigger: .manual)) == "schedule-x-m1767258000")
        #expect(ScheduleNames(id: "x", isBySecond: true).job(1_767_258_000) == "schedule-x-1767258000")
        #expect(ScheduleNames.slot(ofJob: "schedule-x-29454300") == 1_767_258_000)
        #expect(ScheduleNames.slot(ofJob: "schedule-x-1767258000") == 1_767_258_000)
        #expect(ScheduleNames.slot(ofJob: "schedule-x-m1767258000") == nil)
        #expect(ScheduleNames.slot(ofJob: "x") == nil && ScheduleNames.slot(ofJob: "x-") == nil)
    }
}
