import Control
import Model
import Runtime
import TestSupport
import Testing
import Util

/// The plan against a platform on which anything may happen and any step may fail.
@Suite struct PlanPropertyTests {
    @Test(arguments: 0..<8)
    func whateverHappensAPlanConvergesAndNeverHasTwo(batch: UInt64) throws {
        for seed in (batch * 250)..<(batch * 250 + 250) {
            var world = try PlannedWorld(seed: seed)
            for _ in 0..<40 {
                world.disturb()
                world.reconcile(mayFail: true)
                if let broken = world.broken {
                    Issue.record("seed \(seed): \(broken)")
                    return
                }
            }
            // From here on nothing happens any more and nothing fails.
            var rounds = 0
            while !world.reconcile(mayFail: false) {
                rounds += 1
                guard rounds < 20, world.broken == nil else { break }
                world.waitForRecheck()
            }
            if let broken = world.broken ?? world.unsettled {
                Issue.record("seed \(seed): \(broken)")
                return
            }
            let isQuiet = world.reconcile(mayFail: false)
            #expect(isQuiet, "seed \(seed): a converged bot is worked on again")
        }
    }
}

/// One bot and its platform.
private struct PlannedWorld {
    private(set) var broken: String?

    private var random: SeededGenerator
    private var now = Timestamp(secondsSince1970: 1_800_000_000)
    private var desired: Desired
    private var runs: [ObservedRun] = []
    private var failure: StartFailure?
    private var recheckAt: Timestamp?
    private var made = 0
    private let specs: [LaunchSpec]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        let configs: [JSONObject] = [[:], ["symbol": "BTC"], ["symbol": "ETH"]]
        specs = try configs.map { config throws in
            try LaunchSpecBuilder().spec(for: Executable(bot("b", config: config)))
        }
        desired = .running(specs[0], .standard)
    }

    // MARK: What happens to it

    mutating func disturb() {
        now = now.advanced(by: .milliseconds(Int.random(in: 0...400_000, using: &random)))
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1: desired = .running(specs.randomElement(using: &random) ?? specs[0], .standard)
        case 2: desired = .disabled
        case 3: desired = .absent
        case 4: desired = .unknown(DocumentError(id: "b", field: "config", problem: "is a number"))
        case 5, 6: endOne()
        case 7: add(.created)
        case 8: add(.leaving)
        // Somebody else started one, as another program under our name would.
        case 9: add(.running(since: now))
        case 10: runs.removeAll { $0.phase == .leaving }
        default: break
        }
    }

    private mutating func endOne() {
        guard let index = runs.indices.filter({ runs[$0].isRunning }).randomElement(using: &random) else { return }
        let exit = Exit(code: 1, startedAt: runs[index].createdAt, finishedAt: now)
        runs[index].phase = .exited(exit)
    }

    private mutating func add(_ phase: ObservedRun.Phase) {
        let hash = Bool.random(using: &random) ? specs[0].hash : "of another time"
        runs.append(made(hash: hash, attempt: Int.random(in: 0...9, using: &random), phase: phase))
    }

    private mutating func made(hash: String, attempt: Int, phase: ObservedRun.Phase) -> ObservedRun {
        made += 1
        return ObservedRun(
            reference: "run \(made)",
            id: "b",
            kind: .live,
            origin: .hash(hash),
            attempt: attempt,
            createdAt: now,
            phase: phase
        )
    }

    // MARK: What is done about it

    /// Plans, and carries the plan out; returns whether there was nothing to do, now or later.
    @discardableResult
    mutating func reconcile(mayFail: Bool) -> Bool {
        let plan = Plan(desired: desired, observed: runs, failure: failure, now: now)
        recheckAt = plan.recheckAt
        if let recheckAt, recheckAt <= now { broken = "looks again at once, for ever: \(plan.status)" }
        for action in plan.actions {
            let fails = mayFail && Int.random(in: 0..<4, using: &random) == 0
            switch action {
            case .start(let spec, let attempt): guard start(spec, attempt, fails) else { return false }
            case .remove(let run, let reason): guard remove(run, reason, fails) else { return false }
            case .update:
                broken = "a run is changed in place on a platform that can't"
                return false
            }
        }
        // What a platform is removing is gone some time.
        if !mayFail { runs.removeAll { $0.phase == .leaving } }
        return plan.actions.isEmpty && plan.recheckAt == nil
    }

    mutating func waitForRecheck() {
        if let recheckAt { now = max(now, recheckAt) }
    }

    private mutating func start(_ spec: LaunchSpec, _ attempt: Int, _ fails: Bool) -> Bool {
        if runs.contains(where: { $0.isRunning || $0.phase == .leaving }) { broken = "a second one is started" }
        guard case .running(spec, _) = desired else {
            broken = "what isn't desired is started"
            return false
        }
        if let due = failure.map({ $0.at.advanced(by: .milliseconds(800)) }), failure?.hash == spec.hash, due > now {
            broken = "a start that just failed is tried at once"
        }
        guard !fails else {
            failure = StartFailure(hash: spec.hash, count: (failure?.count ?? 0) + 1, at: now, reason: "fails")
            return false
        }
        failure = nil
        // Its name is taken over from what ended.
        runs.removeAll { $0.exit != nil }
        runs.append(made(hash: spec.hash, attempt: attempt, phase: .running(since: now)))
        return true
    }

    private mutating func remove(_ run: ObservedRun, _ reason: RemovalReason, _ fails: Bool) -> Bool {
        if run.isRunning { checkEnd(of: run, reason) }
        guard !fails else {
            // Some stops that fail have ended the run nevertheless.
            if Bool.random(using: &random) { endOne() }
            return false
        }
        runs.removeAll { $0.reference == run.reference }
        return true
    }

    private mutating func checkEnd(of run: ObservedRun, _ reason: RemovalReason) {
        switch desired {
        case .unknown: broken = "a bot whose document can't be read is stopped"
        case .disabled, .absent: break
        case .running(let spec, _):
            let others = runs.filter { $0.isRunning && $0.reference != run.reference && $0.matches(spec) }
            if run.matches(spec), others.isEmpty { broken = "the right run is stopped: \(reason)" }
        }
    }

    // MARK: What must hold in the end

    var unsettled: String? {
        let running = runs.filter(\.isRunning)
        switch desired {
        case .unknown: return nil
        case .disabled, .absent: return runs.isEmpty ? nil : "\(runs.count) runs are left"
        case .running(let spec, _):
            guard running.count == 1, running[0].matches(spec) else { return "\(running.count) run instead of one" }
            return runs.count == 1 ? nil : "\(runs.count - 1) ended runs are left"
        }
    }
}
