/// An expression for readers that know only plain cron, as Kubernetes' CronJobs do: its times are those of the expression it was
/// made from.
public struct StandardCron: Sendable, Hashable {
    /// Minute, hour, day of the month, month and day of the week: numbers, ranges that don't wrap, steps, lists and `*`.
    public let fields: String
    /// The zone that they are read in.
    public let zone: TimeZoneRules
}

/// Why plain cron can't say what an expression does.
public struct StandardCronError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, as the rest of a sentence about the expression.
    public let description: String
}

extension CronExpression {
    /// The same times as plain cron has them.
    ///
    /// Plain cron is what robfig/cron reads, version 1 as well as 3. It differs from ours where clocks are changed: it runs
    /// whenever the clock shows a time that fits, so a fixed time that is left out doesn't run and one that is repeated runs
    /// twice. It also goes astray where a day has no midnight, or two, and where clocks change by part of an hour.
    /// - Parameter time: from when on the two have to agree: what clocks did before is of no interest.
    /// - Throws: ``StandardCronError`` for what plain cron would do differently, or can't say.
    public func standard(from time: Timestamp) throws(StandardCronError) -> StandardCron {
        switch rule {
        case .every(let period):
            return StandardCron(fields: try Self.standard(every: period), zone: .utc)
        case .fields(let fields):
            guard fields.seconds == 1 else { throw StandardCronError(description: "has seconds") }
            guard !fields.hasSpecialDaysOfMonth, !fields.hasSpecialDaysOfWeek else {
                throw StandardCronError(description: "has days with L, W or #")
            }
            for change in zone.dials(after: time.secondsSince1970) { try fields.check(change, zone) }
            return StandardCron(fields: fields.standardText, zone: zone)
        }
    }

    /// Periods count from 1970 on: only those that a day, or an hour, is a multiple of can be told by hours and minutes.
    private static func standard(every period: Int64) throws(StandardCronError) -> String {
        if period % 60 == 0, 3600 % period == 0 {
            return period == 60 ? "* * * * *" : period == 3600 ? "0 * * * *" : "*/\(period / 60) * * * *"
        }
        if period % 3600 == 0, 86_400 % period == 0 {
            return period == 86_400 ? "0 0 * * *" : "0 */\(period / 3600) * * *"
        }
        throw StandardCronError(
            description: "is @every \(GoDuration.string(.seconds(period))), of which an hour or a day is no multiple"
        )
    }
}

extension CronFields {
    fileprivate func check(_ change: ClockDial, _ zone: TimeZoneRules) throws(StandardCronError) {
        guard let hour = change.wholeHour else {
            throw StandardCronError(
                description: "is in \(zone.name), where clocks change at midnight or by part of an hour"
            )
        }
        guard followsClock || hours >> UInt64(hour) & 1 == 0 else {
            throw StandardCronError(
                description:
                    "has a fixed time from \(hour):00 on, an hour that clocks leave out or repeat in \(zone.name)"
            )
        }
    }
}

/// What clocks leave out or repeat when they are changed: local times, in seconds since 1970 on the local clock.
struct ClockDial: Hashable {
    var from: Int64
    var to: Int64

    /// The hour of the day that it is, if it is exactly one, and not the first of its day.
    var wholeHour: Int? {
        guard to - from == 3600, from % 3600 == 0 else { return nil }
        let hour = Int(floorDivide(from, 86_400).remainder / 3600)
        return hour == 0 ? nil : hour
    }
}

extension TimeZoneRules {
    /// What clocks leave out or repeat at each change after a time.
    func dials(after time: Int64) -> [ClockDial] {
        zip(starts.indices, starts).dropFirst().compactMap { index, start in
            guard start > time else { return nil }
            let (before, after) = (start + offsets[index - 1], start + offsets[index])
            return ClockDial(from: min(before, after), to: max(before, after))
        }
    }
}
