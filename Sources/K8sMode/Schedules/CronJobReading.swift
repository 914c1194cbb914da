import Model
import Runtime
import Util

/// Tells a schedule's CronJob as a run: a pure function of what the API server has.
struct CronJobReading: Sendable {
    let ownership: Ownership

    /// What of a CronJob is kept in memory.
    static func reduced(_ cronJob: CronJob) -> CronJob {
        var reduced = cronJob.withoutManagedFields
        var spec: JSONObject = [:]
        spec["suspend"] = cronJob.spec["suspend"]
        reduced.spec = spec
        return reduced
    }

    /// A CronJob of a schedule as a run; nil for one that is somebody else's.
    ///
    /// One that is suspended counts as never started: it is made anew, for one that goes on would make up for what passed. So
    /// does one of another version, which is replaced once.
    func run(_ cronJob: CronJob) -> ObservedRun? {
        guard let owner = owner(of: cronJob) else { return nil }
        let phase: ObservedRun.Phase
        if cronJob.deletion != nil {
            phase = .leaving
        } else if cronJob.isSuspended || owner.isLegacy {
            phase = .created
        } else {
            phase = .running(since: cronJob.creationTime)
        }
        return ObservedRun(
            reference: ObjectReference(cronJob).text,
            id: owner.id,
            kind: .scheduled,
            origin: .hash(owner.isLegacy ? "" : cronJob.annotations[K8sAnnotation.hash] ?? ""),
            attempt: 0,
            createdAt: cronJob.creationTime,
            phase: phase
        )
    }

    /// Whose a CronJob is.
    func owner(of cronJob: CronJob) -> (id: BotID, isLegacy: Bool)? {
        if ownership.owns(cronJob, kind: .scheduled) {
            guard let id = cronJob.annotations[K8sAnnotation.id], !id.isEmpty else { return nil }
            return (BotID(id), false)
        }
        let labels = cronJob.labels
        // Other versions know no instances.
        guard labels[K8sLabel.instance] == nil, ownership.instance == Ownership.defaultInstance else { return nil }
        for prefix in LegacyLabel.prefixes {
            guard labels["\(prefix)/\(LegacyLabel.managedBy)"] == ExecutableKind.scheduled.controller,
                let id = labels["\(prefix)/\(LegacyLabel.scheduleID)"], !id.isEmpty
            else { continue }
            return (BotID(id), true)
        }
        return nil
    }
}

extension LegacyLabel {
    /// The schedule's id as it is; ids that can't be a label never had a CronJob.
    static let scheduleID = "schedule-id"
}
