import Model

/// The names of what is made for schedules.
///
/// A slot's Job has one name whoever makes it: our scheduler names it as the cluster's CronJob controller does. So the API server
/// refuses a second one for a slot, even where a schedule goes from one to the other at that moment.
struct ScheduleNames: Sendable, Hashable {
    let id: BotID
    /// Whether Jobs of CronJobs are named by seconds, as up to Kubernetes 1.20, and not by minutes.
    let isBySecond: Bool

    /// So that what follows, a dash, `m` and ten digits, fits into the 63 characters of a Job's label.
    private static let longest = 51

    /// The CronJob's name.
    var cronJob: String { SafeName.objectName(id, prefix: "schedule", limit: Self.longest).text }

    /// The name of a slot's Job.
    func job(_ slot: Slot) -> String {
        switch slot.trigger {
        case .manual: return "\(cronJob)-m\(slot.time)"
        // Other seconds than the first of a minute are no CronJob's.
        case .schedule where isBySecond || slot.time % 60 != 0: return "\(cronJob)-\(slot.time)"
        case .schedule: return "\(cronJob)-\(slot.time / 60)"
        }
    }

    /// The slot of a Job that a CronJob made, told from its name: minutes have eight digits until the year 2160, seconds ten.
    static func slot(ofJob name: String) -> Slot? {
        guard let dash = name.lastIndex(of: "-"), let number = Int64(name[name.index(after: dash)...]) else {
            return nil
        }
        switch name[dash...].utf8.count - 1 {
        case 8: return Slot(number * 60)
        case 10: return Slot(number)
        default: return nil
        }
    }
}
