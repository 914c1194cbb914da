/// When something is to run: a cron expression, read once, asked often.
///
/// **Text.** Five fields (minute, hour, day of the month, month, day of the week) or six (seconds first); `@yearly`,
/// `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`; `@every DURATION`. `TZ=ZONE` or `CRON_TZ=ZONE`
/// before it names the time zone. A field is a list of values, ranges (`1-5`; `22-2` and `FRI-MON` wrap), and steps
/// (`*/15`, `10-40/10`, `5/20` = from 5 to the end); `*` and `?` are any value. Months and days have names in any case;
/// Sunday is 0 or 7. Further: `L` (a month's last day), `L-3`, `LW` (its last weekday), `15W` (the weekday nearest to
/// the 15th within the month; none where the month has no such day), `5L` (the last Friday), `5#3` (the third Friday),
/// and `H`, `H/15`, `H(0-29)`, `H(0-29)/10`: values chosen by the seed, the same for ever.
///
/// **Days**, as in robfig/cron v3: a day must fit day of the month *and* day of the week if one of the two holds `*`,
/// `?` or `*/1`; else it must fit one *or* the other. `*/2` isn't `*`.
///
/// **Changes of clock.** An expression *follows the clock* if its minute or hour field has `*`, `?`, a step, or every
/// value. It runs whenever the clock on the wall shows a time that fits: what a gap leaves out isn't shown, what a fold
/// repeats is shown twice. Any other expression names *fixed times*: each runs once, the first time that the clock shows
/// it or, when it is left out, at once when the clock has passed it, at the end of the gap. Times that fall together
/// are one run. In Europe/Berlin, where 02:00–03:00 is left out in March and repeated in October:
///
/// | expression | March | October |
/// |---|---|---|
/// | `30 2 * * *` | 03:00 | 02:30 (first) |
/// | `0,30 2 * * *` | 03:00 | 02:00, 02:30 (first) |
/// | `0 2,3 * * *` | 03:00 | 02:00 (first), 03:00 |
/// | `0 9 * * *` | 09:00 | 09:00 |
/// | `0 * * * *` | 01:00, 03:00 | 01:00, 02:00, 02:00 again, 03:00 |
/// | `*/30 1-3 * * *` | 01:00, 01:30, 03:00, 03:30 | 01:00 … 02:30, 02:00 again, 02:30 again, 03:00, 03:30 |
/// | `*/30 2 * * *` | – | 02:00, 02:30, both again |
///
/// `@every` knows no clocks: its runs are whole multiples of the duration since 1970-01-01T00:00:00Z, so that they
/// don't depend on when someone began to count.
public struct CronExpression: Sendable, Hashable {
    enum Rule: Hashable {
        case fields(CronFields)
        /// Seconds.
        case every(Int64)
    }

    let rule: Rule

    /// Where the clock hangs.
    public let zone: TimeZoneRules

    /// The most bytes a text may have.
    public static let longestText = 1024

    /// Reads an expression.
    ///
    /// - Parameters:
    ///   - text: the expression, with or without space around it.
    ///   - zone: what holds where the text names no time zone.
    ///   - zones: where time zones are looked up.
    ///   - seed: what `H` is chosen by, such as a bot's id; without it `H` is an error.
    /// - Throws: ``CronError`` with the column, also when it would never fire.
    public init(
        _ text: String,
        zone: TimeZoneRules = .utc,
        zones: TimeZoneDatabase = .system,
        seed: String? = nil
    ) throws(CronError) {
        var parser = try CronParser(text, seed: seed)
        self.zone = try parser.zonePrefix(zones) ?? zone
        self.rule = try parser.rule()
    }

    /// The first run after a time; nil when there is none before the year 2262 ends the ``Timestamp``s.
    public func next(after time: Timestamp) -> Timestamp? {
        let second = time.secondsSince1970
        switch rule {
        case .fields(let fields):
            return Self.timestamp(fields.firstInstant(after: second, in: zone))
        case .every(let period):
            return Self.timestamp((floorDivide(second, period).quotient + 1) * period)
        }
    }

    /// The last run before a time; nil when there is none after the year 1677 begins the ``Timestamp``s.
    public func previous(before time: Timestamp) -> Timestamp? {
        // Runs are at whole seconds: one within this second is before a later part of it.
        let isWhole = time.nanosecondsSince1970 % 1_000_000_000 == 0
        let second = time.secondsSince1970 + (isWhole ? 0 : 1)
        switch rule {
        case .fields(let fields):
            return Self.timestamp(fields.lastInstant(before: second, in: zone))
        case .every(let period):
            return Self.timestamp(floorDivide(second - 1, period).quotient * period)
        }
    }

    private static func timestamp(_ second: Int64?) -> Timestamp? {
        guard let second else { return nil }
        let (nanoseconds, overflow) = second.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : Timestamp(nanosecondsSince1970: nanoseconds)
    }
}
