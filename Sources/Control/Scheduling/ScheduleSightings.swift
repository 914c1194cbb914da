import Model
import Util

/// Which schedules a store held when, as far as full readings tell: what is kept for those that are gone may go one day.
struct ScheduleSightings {
    /// When each schedule was last there.
    private var last: [BotID: Duration] = [:]
    /// The first of the readings that followed one another without a long gap.
    private var since: Duration?
    private var latest = Duration.zero
    /// Whether a document among them had no usable id, and so may be any schedule's.
    private var hadNameless = false
    private var asked: Duration?

    /// Notes a full reading.
    /// - Parameter longestGap: how long ago the last one may be for the readings to be one series.
    mutating func saw(_ ids: Set<BotID>, nameless: Bool, longestGap: Duration, at steady: Duration) {
        // What went on in a long gap nobody has seen: it begins anew.
        if steady - latest > longestGap { since = nil }
        since = since ?? steady
        for id in ids { last[id] = steady }
        (latest, hadNameless) = (steady, nameless)
    }

    /// The schedules whose leftovers must stay: all that were there within an age. Asked for again at most a dozen times in that
    /// time.
    /// - Returns: nil while nothing may go: full readings haven't gone on for as long, there was a long gap between two of them,
    ///   there is no schedule at all, as in a store that is the wrong one or was emptied, or one without an id may be any.
    mutating func keeping(for age: Duration, at steady: Duration) -> Set<BotID>? {
        guard let since, !hadNameless, latest - since >= age, asked.map({ steady - $0 >= age / 12 }) ?? true else {
            return nil
        }
        last = last.filter { latest - $0.value <= age }
        guard last.values.contains(latest) else { return nil }
        asked = steady
        return Set(last.keys)
    }
}
