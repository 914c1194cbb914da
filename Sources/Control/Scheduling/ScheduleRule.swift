public import Model
public import Util

/// What a schedule's document says of time: its expression in its time zone, and its policy.
public struct ScheduleRule: Sendable, Hashable {
    /// When its slots are.
    public let expression: CronExpression
    /// How slots become runs.
    public let policy: SchedulePolicy

    /// Identifies the expression with its zone: what a cursor is reckoned by.
    public var basis: String { expression.description }

    /// Reads a schedule.
    /// - Throws: `DocumentError` for an expression or a policy that can't be used.
    public init(_ schedule: BotSchedule, zones: TimeZoneDatabase = .system) throws(DocumentError) {
        let id = schedule.id
        func failure(_ field: String, _ error: CronError) -> DocumentError {
            DocumentError(id: id.text, field: field, problem: "can't be used: \(error)")
        }
        policy = try SchedulePolicy(config: schedule.bot.config, id: id)
        var zone = TimeZoneRules.utc
        if let name = policy.timeZone {
            do throws(CronError) { zone = try zones.rules(named: name) } catch {
                throw failure("config.execution.timezone", error)
            }
        }
        do throws(CronError) {
            expression = try CronExpression(schedule.schedule, zone: zone, zones: zones, seed: id.text)
        } catch {
            throw failure("config.schedule", error)
        }
        guard policy.timeZone == nil || expression.zone == zone else {
            throw DocumentError(
                id: id.text,
                field: "config.execution.timezone",
                problem: "contradicts the time zone that config.schedule begins with; one of them is enough"
            )
        }
        try checkJitter(id)
    }

    /// A time from which slots are looked through: the same always, so that what is said of an expression is.
    private static let sample: Int64 = 1_704_067_200
    /// How many slots are looked through.
    private static let sampleSize = 500

    /// The shortest time between two slots, as far as it shows among some hundreds of them from a year's beginning on.
    public var shortestInterval: Duration? {
        var shortest: Int64?
        var slot = next(after: Self.sample)
        for _ in 0..<Self.sampleSize {
            guard let begin = slot, let end = next(after: begin) else { break }
            shortest = min(shortest ?? .max, end - begin)
            slot = end
        }
        return shortest.map { .seconds($0) }
    }

    /// A slot that waits for its jitter is as one that runs: where runs may not overlap, the next one would be passed over, or
    /// would end it before it began.
    private func checkJitter(_ id: BotID) throws(DocumentError) {
        guard policy.jitter > .zero, policy.overlap != .allow, let shortest = shortestInterval,
            policy.jitter >= shortest
        else { return }
        let (jitter, interval) = (GoDuration.string(policy.jitter), GoDuration.string(shortest))
        throw DocumentError(
            id: id.text,
            field: "config.execution.jitter",
            problem: "is \(jitter), and slots of config.schedule are as little as \(interval) apart: where overlap is "
                + "\(policy.overlap.rawValue), one that waits for its start keeps the next from running; expected less than "
                + "\(interval), or overlap allow"
        )
    }

    /// The first slot after a time, in seconds since 1970; nil when there is none any more.
    public func next(after time: Int64) -> Int64? {
        expression.next(after: Timestamp(secondsSince1970: time))?.secondsSince1970
    }

    /// The last slot before a time, in seconds since 1970.
    func previous(before time: Int64) -> Int64? {
        expression.previous(before: Timestamp(secondsSince1970: time))?.secondsSince1970
    }

    /// Whether a time is a slot.
    func isSlot(_ time: Int64) -> Bool { next(after: time - 1) == time }

    /// How late a slot may be claimed, after its jitter.
    func deadline(of slot: Int64) -> Duration {
        if let deadline = policy.deadline { return deadline }
        guard let next = next(after: slot) else { return .seconds(60) }
        return max(.seconds(60), .seconds(next - slot) / 2)
    }

    /// When a slot is to be started: later by its own part of the jitter.
    func start(of slot: Int64, id: BotID) -> Timestamp {
        let time = Timestamp(secondsSince1970: slot)
        let milliseconds = Int64(policy.jitter / .milliseconds(1))
        guard milliseconds > 0 else { return time }
        let share = CronSpread.value(seed: "\(id.text) \(slot)") % UInt64(milliseconds + 1)
        return time.advanced(by: .milliseconds(Int64(share)))
    }
}
