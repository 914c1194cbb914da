public import Model
public import Runtime

/// A platform that keeps schedules itself, as Kubernetes does with CronJobs.
///
/// A schedule's slots are either the platform's or a `Scheduler`'s, never both's: ``PlatformSchedules`` sees to that.
public protocol SchedulePlatform: Sendable {
    /// What the platform's own schedule would say of times and policies: whatever has to change when they do.
    /// - Throws: ``PlatformLimit`` for what it would do differently, or can't say. Nothing else may be thrown: the answer for a
    ///   rule is the same for ever.
    func terms(of rule: ScheduleRule) throws(PlatformLimit) -> JSONValue

    /// Those of some schedules that the platform has anything of that may still start runs.
    /// - Throws: `RunnerError` when it can't be known of all of them, as of this moment.
    func kept(_ ids: [BotID]) async throws(RunnerError) -> Set<BotID>
}

/// Why a platform can't keep a schedule itself.
public struct PlatformLimit: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, for people: what of the schedule, and why not.
    public let description: String

    /// A reason.
    public init(_ description: String) { self.description = description }
}
