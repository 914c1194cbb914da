import Model
import Testing
import Util

@testable import Control

/// `config.execution` of a schedule: each setting right, of another type, out of range and in contradiction.
@Suite struct SchedulePolicyTests {
    /// Text that stands for a value nobody may see in a message.
    static let secret = "hunter2-s3cr3t"

    private func policy(_ execution: JSONValue?) throws -> SchedulePolicy {
        var config: JSONObject = [:]
        config["execution"] = execution
        return try SchedulePolicy(config: config, id: "s")
    }

    /// The error that settings come to.
    private func refusal(_ execution: JSONValue) -> DocumentError? {
        do {
            _ = try policy(execution)
            return nil
        } catch { return error as? DocumentError }
    }

    @Test(arguments: [nil, .null, .object([:])] as [JSONValue?])
    func whatIsNotSetIsAsTheDocumentationSays(execution: JSONValue?) throws {
        let policy = try policy(execution)
        #expect(policy == .standard)
        #expect(policy.timeZone == nil)
        #expect(policy.overlap == .forbid)
        #expect(policy.missed == .latest)
        #expect(policy.deadline == nil)
        #expect(policy.timeout == .seconds(3600))
        #expect(policy.jitter == .zero)
        #expect(policy.retries == 0)
        #expect(policy.backoff.initial == .seconds(10))
        #expect(policy.backoff.maximum == .seconds(300))
        #expect(!policy.isSuspended)
    }

    @Test func aSettingOfNullIsNotSet() throws {
        let keys = ["timezone", "overlap", "missed", "deadline", "timeout", "jitter", "retries", "retry", "suspend"]
        for key in keys { #expect(try policy(.object([key: .null])) == .standard, "\(key)") }
    }

    @Test func everySettingIsRead() throws {
        let policy = try policy(
            .object([
                "timezone": "Europe/Berlin", "overlap": "allow", "missed": "all", "deadline": "1h30m", "timeout": "90s",
                "jitter": "2m", "retries": 3, "retry": .object(["initial": "1s", "maximum": "1m"]), "suspend": true,
            ])
        )
        #expect(policy.timeZone == "Europe/Berlin")
        #expect(policy.overlap == .allow)
        #expect(policy.missed == .all)
        #expect(policy.deadline == .seconds(5400))
        #expect(policy.timeout == .seconds(90))
        #expect(policy.jitter == .seconds(120))
        #expect(policy.retries == 3)
        #expect(policy.backoff.initial == .seconds(1))
        #expect(policy.backoff.maximum == .seconds(60))
        #expect(policy.isSuspended)
    }

    @Test(arguments: ["0", "0s", "0h0m"])
    func aTimeoutOfNothingIsNone(text: String) throws {
        #expect(try policy(.object(["timeout": .string(text)])).timeout == nil)
    }

    @Test func everyWordIsKnown() throws {
        for word in SchedulePolicy.Overlap.allCases {
            #expect(try policy(.object(["overlap": .string(word.rawValue)])).overlap == word)
        }
        for word in SchedulePolicy.Missed.allCases {
            #expect(try policy(.object(["missed": .string(word.rawValue)])).missed == word)
        }
    }

    @Test(arguments: [
        ("deadline", "1s", Duration.seconds(1)), ("deadline", "8784h", .seconds(366 * 86_400)),
        ("timeout", "1s", .seconds(1)), ("timeout", "8784h", .seconds(366 * 86_400)),
        ("jitter", "24h", .seconds(86_400)),
    ])
    func theEndsOfARangeBelongToIt(key: String, text: String, duration: Duration) throws {
        let policy = try policy(.object([key: .string(text)]))
        let read = ["deadline": policy.deadline, "timeout": policy.timeout, "jitter": policy.jitter][key]
        #expect(read == .some(duration))
    }

    @Test(arguments: [
        ("deadline", "999ms"), ("deadline", "0"), ("deadline", "-1s"), ("deadline", "8784h0m1s"), ("deadline", "soon"),
        ("deadline", ""), ("deadline", "5"), ("timeout", "-1s"), ("timeout", "999ms"), ("timeout", "1ns"),
        ("timeout", "8784h1s"), ("timeout", "9999999h"), ("timeout", "99999999999999999999h"), ("jitter", "-1ms"),
        ("jitter", "24h1s"), ("jitter", "1 m"), ("overlap", "Forbid"), ("overlap", ""), ("overlap", "queue"),
        ("missed", "LATEST"), ("missed", "none"),
    ])
    func whatIsOutOfRangeIsRefused(key: String, text: String) throws {
        let error = try #require(refusal(.object([key: .string(text)])))
        #expect(error.field == "config.execution.\(key)")
        #expect(error.id == "s")
    }

    @Test(arguments: [-1, 101, Int64.max, Int64.min]) func aNumberOfRetriesOutOfRangeIsRefused(count: Int64) throws {
        let error = try #require(refusal(.object(["retries": .integer(count)])))
        #expect(error.field == "config.execution.retries")
        #expect(error.problem == "is no whole number from 0 to 100")
    }

    @Test func everySettingOfAnotherTypeIsRefusedByName() throws {
        let right: [String: Set<String>] = [
            "timezone": ["a string"], "overlap": ["a string"], "missed": ["a string"], "deadline": ["a string"],
            "timeout": ["a string"], "jitter": ["a string"], "retries": [], "retry": ["an object"],
            "suspend": ["a boolean"],
        ]
        let values: [JSONValue] = [
            .bool(true), .double(1.5), .string(Self.secret), .array([.string(Self.secret)]),
            .object(["initial": .string(Self.secret)]),
        ]
        for (key, kinds) in right {
            for value in values where !kinds.contains(value.kindName) {
                let error = try #require(refusal(.object([key: value])), "\(key) takes \(value.kindName)")
                #expect(error.field == "config.execution.\(key)")
                #expect(!"\(error)".contains(Self.secret))
            }
        }
        let whole = try #require(refusal(.object(["timeout": 30])))
        #expect(whole.problem.contains("duration"), "a bare number has no unit")
    }

    @Test(arguments: [.bool(false), 1, .string(secret), .array([])] as [JSONValue])
    func executionItselfIsAnObject(value: JSONValue) throws {
        let error = try #require(refusal(value))
        #expect(error.field == "config.execution")
        #expect(error.problem == "is \(value.kindName); expected an object")
    }

    @Test(arguments: ["Timezone", "tz", "concurrency", "", "execution", "timeout "])
    func anUnknownSettingIsRefusedAndTheKnownAreNamed(key: String) throws {
        let error = try #require(refusal(.object([key: .string(Self.secret)])))
        #expect(error.field == "config.execution.\(key)")
        for known in ["timezone", "overlap", "missed", "deadline", "timeout", "jitter", "retries", "retry", "suspend"] {
            #expect(error.problem.contains(known))
        }
        #expect(!"\(error)".contains(Self.secret))
    }

    @Test func theRestartOfLiveBotsIsPointedAway() throws {
        let error = try #require(refusal(.object(["restart": .object(["mode": .string(Self.secret)])])))
        #expect(error.field == "config.execution.restart")
        #expect(error.problem.contains("retries"))
        #expect(!"\(error)".contains(Self.secret))
    }

    @Test func noValueIsEverShown() throws {
        let keys = ["overlap", "missed", "deadline", "timeout", "jitter", "retries", "suspend", "retry"]
        for key in keys {
            let error = try #require(refusal(.object([key: .string(Self.secret)])), "\(key)")
            #expect(!"\(error)".contains(Self.secret))
            #expect(!error.problem.isEmpty)
        }
        for key in ["initial", "maximum", "other"] {
            let retry: JSONObject = [key: .string(Self.secret)]
            let error = try #require(refusal(.object(["retries": 1, "retry": .object(retry)])))
            #expect(error.field == "config.execution.retry.\(key)")
            #expect(!"\(error)".contains(Self.secret))
        }
    }

    // MARK: Contradictions

    @Test func allAndReplaceContradictEachOther() throws {
        let error = try #require(refusal(.object(["missed": "all", "overlap": "replace"])))
        #expect(error.field == "config.execution.missed")
        for overlap in ["forbid", "allow"] {
            #expect(try policy(.object(["missed": "all", "overlap": .string(overlap)])).missed == .all)
        }
        for missed in ["latest", "skip"] {
            #expect(try policy(.object(["missed": .string(missed), "overlap": "replace"])).overlap == .replace)
        }
    }

    @Test func aBackoffWithoutRetriesHasNoUse() throws {
        let retry: JSONValue = .object(["initial": "1s"])
        for settings in [["retry": retry], ["retry": retry, "retries": 0]] as [JSONObject] {
            let error = try #require(refusal(.object(settings)))
            #expect(error.field == "config.execution.retry")
        }
        #expect(try policy(.object(["retry": retry, "retries": 1])).backoff.initial == .seconds(1))
    }

    @Test(
        arguments: [
            ["initial": "10m"], ["maximum": "1s"], ["initial": "2s", "maximum": "1s"],
        ] as [JSONObject]
    )
    func aBackoffThatShrinksIsRefused(retry: JSONObject) throws {
        let error = try #require(refusal(.object(["retries": 1, "retry": .object(retry)])))
        #expect(error.field == "config.execution.retry")
    }
}

/// A whole schedule: expression, zone and policy.
@Suite struct ScheduleRuleTests {
    private func rule(_ text: String, _ execution: JSONObject = [:]) throws -> ScheduleRule {
        try ScheduleRule(BotSchedule(bot: bot("s", config: ["execution": .object(execution)]), schedule: text))
    }

    private func refusal(_ text: String, _ execution: JSONObject = [:]) -> DocumentError? {
        do {
            _ = try rule(text, execution)
            return nil
        } catch { return error as? DocumentError }
    }

    @Test func f64NoTextIsMoreThanAValueOrAnError() {
        for text in ["", "* * * *", "60 * * * *", "0 0 30 2 *", "TZ=UTC", "@every -1s", "@never", "* * * * * * *"] {
            #expect(refusal(text)?.field == "config.schedule", "\(text)")
        }
    }

    @Test(arguments: ["Mars/Olympus", "", "../../etc/passwd", "europe/berlin\n"])
    func anUnknownZoneIsTheZonesFault(zone: String) {
        #expect(refusal("0 9 * * *", ["timezone": .string(zone)])?.field == "config.execution.timezone")
    }

    @Test func theZoneIsSaidOnce() throws {
        let twice = refusal("TZ=Asia/Tokyo 0 9 * * *", ["timezone": "Europe/Berlin"])
        #expect(twice?.field == "config.execution.timezone")
        let same = try rule("TZ=Europe/Berlin 0 9 * * *", ["timezone": "Europe/Berlin"])
        let here = try rule("0 9 * * *", ["timezone": "Europe/Berlin"])
        #expect(same.basis == here.basis)
        #expect(try rule("0 9 * * *").basis != here.basis, "another zone is another reckoning")
    }

    @Test(arguments: [
        ("* * * * *", 60), ("*/10 * * * * *", 60), ("*/2 * * * *", 60), ("*/4 * * * *", 120), ("@hourly", 1800),
        ("@daily", 43_200),
    ])
    func aDeadlineIsHalfTheIntervalAndAtLeastAMinute(text: String, seconds: Int64) throws {
        let rule = try rule(text)
        let slot = try #require(rule.next(after: 1_800_000_000))
        #expect(rule.deadline(of: slot) == .seconds(seconds))
    }

    @Test func anExplicitDeadlineHoldsWhateverTheInterval() throws {
        let rule = try rule("* * * * *", ["deadline": "3s"])
        #expect(rule.deadline(of: 1_800_000_000) == .seconds(3))
    }

    @Test(arguments: [
        ("*/5 * * * *", "5m", "5m0s"), ("0,1 9 * * *", "1m", "1m0s"), ("* * * * * *", "1s", "1s"),
        ("0 0 * * *", "24h", "24h0m0s"), ("@every 90s", "2m", "1m30s"), ("30 9 * * MON-FRI", "24h", "24h0m0s"),
    ])
    func aJitterThatReachesTheNextSlotIsRefusedWhereItWouldKeepThatFromRunning(
        text: String,
        jitter: String,
        interval: String
    ) throws {
        for overlap in ["forbid", "replace"] {
            let error = try #require(refusal(text, ["jitter": .string(jitter), "overlap": .string(overlap)]))
            #expect(error.field == "config.execution.jitter")
            #expect(error.problem.contains("expected less than \(interval), or overlap allow"), "\(error)")
        }
        _ = try rule(text, ["jitter": .string(jitter), "overlap": "allow"])
        _ = try rule(text, ["jitter": "999ms"])
    }

    @Test func jitterStaysTheSameAndWithinItsBounds() throws {
        let rule = try rule("@hourly", ["jitter": "10s"])
        var amounts: Set<Duration> = []
        for hour in 0..<500 {
            let slot = 1_800_000_000 + Int64(hour) * 3600
            let start = rule.start(of: slot, id: "s")
            let amount = start.duration(since: Timestamp(secondsSince1970: slot))
            #expect(amount >= .zero)
            #expect(amount <= .seconds(10))
            #expect(start == rule.start(of: slot, id: "s"))
            amounts.insert(amount)
        }
        #expect(amounts.count > 400, "slots differ in it")
        #expect(rule.start(of: 1_800_000_000, id: "s") != rule.start(of: 1_800_000_000, id: "t"))
        let none = try self.rule("@hourly")
        #expect(none.start(of: 1_800_000_000, id: "s") == Timestamp(secondsSince1970: 1_800_000_000))
    }
}
