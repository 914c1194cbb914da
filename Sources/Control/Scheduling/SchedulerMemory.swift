import Model
import Runtime
import Util

/// What a scheduler remembers of earlier looks. It only ever makes it wait, or spares a reading; losing it does no harm.
public struct SchedulerMemory {
    /// A run's record that didn't change between looks.
    struct Sight {
        var revision: Int64
        var since: Duration
        /// Since when the platform has nothing of it.
        var missingSince: Duration?
        /// Since when it runs, by the steady clock.
        var runningSince: Duration?
    }

    /// A run that was claimed a moment ago, with what it was claimed from.
    struct Fresh {
        var record: RunRecord
        var schedule: BotSchedule
        var readAt: Duration
    }

    /// A start, or a storing of a result, that failed.
    struct Failure {
        var count: Int
        var reason: String
        var isRetryable: Bool
    }

    /// What was read of schedules, which is the same as long as its text is.
    var rules: [BotID: (text: RuleText, rule: ScheduleRule)] = [:]
    /// Where runs are started; nil until the platform has said so.
    var platform: String?
    /// What is missed and still to run, as far as it was counted.
    var backlogs: [BotID: SlotBacklog] = [:]
    /// Schedules that stand still because the clock was ahead, with the slot that ran then.
    var silences: [BotID: Int64] = [:]
    /// Which schedules the store held when.
    var sightings = ScheduleSightings()
    var sights: [RunKey: Sight] = [:]
    var fresh: [RunKey: Fresh] = [:]
    var failures: [RunKey: Failure] = [:]
    /// Problems of schedules that were logged.
    var problems: [BotID: DocumentError] = [:]
    /// Documents without an id that were logged.
    var unnamed: Set<DocumentError> = []
    /// Runs on the platform that no record tells of, as far as they were logged.
    var strangers: Set<String> = []
    /// How often a kind of work failed in a row.
    var errors: [SchedulerWork: Int] = [:]

    /// A text that names one scheduler process.
    public static func randomOwner() -> String { String(UInt64.random(in: 0...UInt64.max), radix: 36) }

    /// Notes a look at a run.
    /// - Returns: what is known of it over time.
    mutating func see(
        _ record: RunRecord,
        _ observed: ObservedRun?,
        now: Timestamp,
        at steady: Duration
    ) -> (unchanged: Duration, running: Duration, missing: Duration) {
        var sight = sights[record.key] ?? Sight(revision: record.revision, since: steady)
        if sight.revision != record.revision {
            if record.phase != .running { sight.runningSince = nil }
            sight.revision = record.revision
            sight.since = steady
            // Before its start nothing was missing.
            sight.missingSince = nil
        }
        sight.missingSince = observed == nil ? sight.missingSince ?? steady : nil
        if let begin = observed?.runningSince {
            // Reckoned once from the wall clock: whoever sets that later ends no run.
            let ran = max(.zero, now.duration(since: begin))
            sight.runningSince = sight.runningSince ?? steady - ran
        }
        sights[record.key] = sight
        return (
            steady - sight.since, sight.runningSince.map { steady - $0 } ?? .zero,
            sight.missingSince.map { steady - $0 } ?? .zero
        )
    }

    /// Forgets a run that is over and gone.
    mutating func forget(_ key: RunKey) {
        sights[key] = nil
        fresh[key] = nil
        failures[key] = nil
    }

    /// Counts a failure of a run.
    mutating func failed(_ key: RunKey, _ reason: String, isRetryable: Bool) -> Failure {
        let failure = Failure(count: (failures[key]?.count ?? 0) + 1, reason: reason, isRetryable: isRetryable)
        failures[key] = failure
        return failure
    }
}

/// All that a rule is read from.
struct RuleText: Hashable {
    var expression: String
    var execution: JSONValue?
}
