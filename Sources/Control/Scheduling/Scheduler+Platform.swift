import Model
import Util

/// A schedule that a scheduler plans for.
struct PlannedSchedule: Sendable {
    let schedule: BotSchedule
    let rule: ScheduleRule
    /// The time to plan for.
    var now: Timestamp
    /// Whether more is to be known of it than its cursor: it is due, or not in order.
    let isBusy: Bool

    var id: BotID { schedule.id }

    init(_ schedule: BotSchedule, _ rule: ScheduleRule, now: Timestamp) {
        self.schedule = schedule
        self.rule = rule
        self.now = now
        isBusy =
            schedule.cursor.time.map { $0 <= now.secondsSince1970 } ?? true
            || SlotPlan.needsLatestSlot(schedule, rule: rule, now: now)
    }
}

/// Which schedules are a scheduler's to plan for, where a platform keeps some itself.
extension Scheduler {
    /// The usable schedules whose slots are a scheduler's.
    func ours(_ stored: [StoredSchedule]) async throws(StoreError) -> [PlannedSchedule] {
        let now = clock.now
        var planned: [PlannedSchedule] = []
        for case .schedule(let schedule) in stored {
            if let rule = rule(of: schedule), options.platform.map({ !$0.takes(rule, of: schedule.id) }) ?? true {
                planned.append(PlannedSchedule(schedule, rule, now: now))
            } else {
                due.set(schedule.id, at: nil)
            }
        }
        guard let platform = options.platform else { return planned }
        let busy = planned.filter(\.isBusy).map(\.id)
        let kept = busy.isEmpty ? [] : try await platform.kept(busy)
        let after = clock.now
        // The platform ran slots of these, and may do so until it has nothing of them any more.
        for id in kept { due.set(id, at: after.advanced(by: .seconds(1))) }
        return planned.filter { !kept.contains($0.id) }.map { planned in
            guard PlatformSchedules.isHandedOver(planned.schedule.cursor) else { return planned }
            // Handed back: only what comes from now on wasn't the platform's. What is claimed, on the other hand, has come before
            // the platform was asked: what it was given since can't have run that.
            var handedBack = planned
            handedBack.now = after
            return handedBack
        }
    }
}
