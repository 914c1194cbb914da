public import Model
public import Util

extension RunRecord {
    /// How long a run that somebody asked for may wait for a scheduler.
    private static let manualPatience = Duration.seconds(600)

    /// A run of a schedule that somebody asks for, beside its slots: whichever scheduler sees it first starts it.
    /// - Parameters:
    ///   - id: the schedule.
    ///   - policy: the schedule's policy; of it hold the timeout, the retries, and whether runs may overlap.
    ///   - time: when it is asked for; names the run, to the second.
    public static func manual(_ id: BotID, policy: SchedulePolicy, at time: Timestamp) -> RunRecord {
        var run = RunRecord(
            id: id,
            slot: Slot(time.secondsSince1970, trigger: .manual),
            owner: "",
            claimedAt: time,
            notBefore: time,
            startBy: time.advanced(by: manualPatience)
        )
        run.retries = policy.retries
        run.timeout = policy.timeout?.wholeSeconds ?? 0
        run.isExclusive = policy.overlap != .allow
        return run
    }
}
