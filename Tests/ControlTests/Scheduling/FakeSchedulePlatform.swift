import Control
import Model
import Runtime
import Synchronization
import Util

/// A platform in memory that keeps schedules itself, as Kubernetes does with CronJobs: it runs the slots of what it has, whatever
/// else goes on, until that is removed.
///
/// It can keep what makes up for the latest missed slot only. Between any two calls of others, and within theirs, time may pass.
final class FakeSchedulePlatform: SchedulePlatform, RunPreparing, RunUpdating, Sendable {
    struct Kept {
        var run: ObservedRun
        var rule: ScheduleRule
        /// Up to when its slots are decided.
        var through: Int64
    }

    struct State {
        var kept: [BotID: Kept] = [:]
        /// Every slot it ran.
        var fired: [RunKey] = []
        var number = 0
        var updates = 0
    }

    let state = Mutex(State())
    private let clock: any SchedulerClock
    /// Called before and after the effect of every call; may throw as a lost connection does.
    private let between: @Sendable () async throws(RunnerError) -> Void

    init(clock: any SchedulerClock, between: @escaping @Sendable () async throws(RunnerError) -> Void = {}) {
        self.clock = clock
        self.between = between
    }

    /// Runs the slots that have come.
    func pass() {
        let now = clock.now.secondsSince1970
        state.withLock { state in
            for (id, kept) in state.kept {
                guard let previous = kept.rule.expression.previous(before: Timestamp(secondsSince1970: now + 1)),
                    previous.secondsSince1970 > kept.through
                else { continue }
                state.fired.append(RunKey(id, Slot(previous.secondsSince1970)))
                state.kept[id]?.through = previous.secondsSince1970
            }
        }
    }

    private func call<Value: Sendable>(_ body: (inout State) -> Value) async throws(RunnerError) -> Value {
        try await between()
        pass()
        let value = state.withLock { body(&$0) }
        try await between()
        return value
    }

    func terms(of rule: ScheduleRule) throws(PlatformLimit) -> JSONValue {
        guard rule.policy.missed == .latest else { throw PlatformLimit("missed is \(rule.policy.missed.rawValue)") }
        return ["schedule": .string(rule.basis), "overlap": .string(rule.policy.overlap.rawValue)]
    }

    func kept(_ ids: [BotID]) async throws(RunnerError) -> Set<BotID> {
        try await call { state in Set(ids.filter { state.kept[$0] != nil }) }
    }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] {
        try await call { state in kind == .scheduled ? state.kept.values.map(\.run) : [] }
    }

    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] {
        try await runs(of: kind).filter { $0.id == id }
    }

    func prepare(_ spec: LaunchSpec) async throws(RunnerError) { try await between() }

    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        let rule = try rule(of: spec)
        try await call { state in
            guard state.kept[spec.id] == nil else { return }
            state.number += 1
            let run = ObservedRun(
                reference: "\(state.number)",
                id: spec.id,
                kind: .scheduled,
                origin: .hash(spec.hash),
                attempt: attempt,
                createdAt: clock.now,
                phase: .running(since: clock.now)
            )
            state.kept[spec.id] = Kept(run: run, rule: rule, through: clock.now.secondsSince1970)
        }
    }

    func update(_ run: ObservedRun, to spec: LaunchSpec) async throws(RunnerError) {
        let rule = try rule(of: spec)
        try await call { state in
            guard state.kept[spec.id]?.run.reference == run.reference else { return }
            state.updates += 1
            state.kept[spec.id]?.run.origin = .hash(spec.hash)
            state.kept[spec.id]?.rule = rule
        }
    }

    func remove(_ run: ObservedRun) async throws(RunnerError) {
        try await call { state in
            if state.kept[run.id]?.run.reference == run.reference { state.kept[run.id] = nil }
        }
    }

    private func rule(of spec: LaunchSpec) throws(RunnerError) -> ScheduleRule {
        let executable = spec.executable
        let bot = Bot(id: executable.id, config: executable.config, custom: executable.custom)
        do {
            return try ScheduleRule(BotSchedule(bot: bot, schedule: executable.config["schedule"]?.string ?? ""))
        } catch {
            throw RunnerError(.refused, "\(error)")
        }
    }
}
