import Model
import Runtime
import Util

@testable import Control

/// Every way in which two schedulers may go on with one run: all interleavings of their steps, with a death between any two.
///
/// What they decide is `RunView.step`; what they do are the calls that `Scheduler` makes, each as one indivisible step. Clocks
/// say anything: whether it is late, and whether a record has stood for long, is tried both ways at each look.
struct RunModel {
    /// What is taken for granted of the world.
    struct Assumptions {
        /// No start is under way for longer than others leave it alone.
        var startsInTime = true
        /// Removing what was seen unstarted leaves it there when it has been started since.
        var removesOnlyWhatWasSeen = true
        /// A start takes the place of a run that has ended, as those of live bots do.
        var replacesWhatEnded = false
        /// A start that isn't told that it succeeded removes what it may have started.
        var discardsWhenInDoubt = false
        /// The trace of a run that was taken over is never removed.
        var keepsTraces = false
        /// Which platform each scheduler starts runs on.
        var platforms = [0, 0]
        /// How many further attempts a run that failed has.
        var retries = 0
    }

    /// What a platform has under the run's name.
    struct Thing: Hashable {
        enum Phase: Hashable { case created, running, exited }

        var number: Int
        var attempt: Int
        var phase: Phase
    }

    /// Where a scheduler is in its program.
    enum Place: Hashable {
        case idle
        /// It has read the record.
        case read(Int)
        /// It has decided; what it saw has this number.
        case note(Int)
        case announce(Int)
        case create(Int)
        case begin(Int, thing: Int)
        case remove(thing: Int, wasRunning: Bool)
        case settle(Int)
    }

    struct State: Hashable {
        var record: Int
        var things: [Thing?] = [nil, nil]
        var places: [Place] = [.idle, .idle]
        /// How often each died: the next life is another owner.
        var deaths = [0, 0]
        var made = 0
        /// The attempts that were started, in order.
        var starts: [Int] = []
        /// Whether one began while another ran.
        var isDouble = false
    }

    static let longest: Int64 = 6
    static let mostDeaths = 1

    private(set) var states = 0
    /// Outcomes of ended records, with how many starts there were.
    private(set) var ends: Set<String> = []
    private let assumptions: Assumptions
    private var records: [RunRecord] = []
    private var numbers: [RunRecord: Int] = [:]

    init(_ assumptions: Assumptions) { self.assumptions = assumptions }

    /// Looks at every state that can come about; returns how the first that breaks the promise came about.
    mutating func counterexample() -> [String]? {
        let first = RunPlanTests.record(.claimed) {
            $0.retries = assumptions.retries; $0.owner = "0.0"
        }
        let start = State(record: number(first))
        var origins: [State: (State, String)?] = [start: nil]
        var open = [start]
        var index = 0
        // Breadth first: what breaks it is as short as can be.
        while index < open.count {
            let state = open[index]
            index += 1
            for (name, next) in successors(state) where origins[next] == nil {
                origins[next] = (state, name)
                if next.isDouble || Set(next.starts).count != next.starts.count {
                    return trace(next, origins)
                }
                if records[next.record].revision <= Self.longest { open.append(next) }
            }
            note(state)
        }
        states = origins.count
        return nil
    }

    private func trace(_ state: State, _ origins: [State: (State, String)?]) -> [String] {
        var names: [String] = []
        var state = state
        while let origin = origins[state] ?? nil {
            names.append("\(origin.1) → \(records[state.record].phase)")
            state = origin.0
        }
        return names.reversed()
    }

    private mutating func note(_ state: State) {
        let record = records[state.record]
        guard let outcome = record.outcome, state.places == [.idle, .idle], state.things == [nil, nil] else { return }
        ends.insert("\(outcome.rawValue) after \(state.starts.count)")
    }

    private mutating func number(_ record: RunRecord) -> Int {
        if let number = numbers[record] { return number }
        records.append(record)
        numbers[record] = records.count - 1
        return records.count - 1
    }

    private mutating func successors(_ state: State) -> [(String, State)] {
        var next: [(String, State)] = []
        for index in 0..<2 {
            next += steps(of: index, state).map { ("\(index): \($0.0)", $0.1) }
            if state.places[index] != .idle, state.deaths[index] < Self.mostDeaths {
                var dead = state
                dead.deaths[index] += 1
                dead.places[index] = .idle
                next.append(("\(index) dies", dead))
            }
        }
        for platform in 0..<2 where state.things[platform]?.phase == .running {
            var ended = state
            ended.things[platform]?.phase = .exited
            next.append(("it ends", ended))
        }
        return next
    }

    private func owner(_ index: Int, _ state: State) -> String { "\(index).\(state.deaths[index])" }

    /// Whether another's start is under way.
    private func isStarting(besides index: Int, _ state: State) -> Bool {
        switch state.places[1 - index] {
        case .create, .begin: true
        default: false
        }
    }

    /// What one scheduler may do next.
    private mutating func steps(of index: Int, _ state: State) -> [(String, State)] {
        let platform = assumptions.platforms[index]
        var next = state
        next.places[index] = .idle
        switch state.places[index] {
        case .idle:
            next.places[index] = .read(state.record)
            return [("reads", next)]
        case .read(let record): return looks(index, record, state)
        case .note(let wanted):
            replace(&next, with: wanted)
            return [("writes", next)]
        case .announce(let seen):
            let starting = number(
                records[seen].next { run in
                    run.phase = .starting
                    run.owner = owner(index, state)
                    run.platform = "\(platform)"
                }
            )
            if replace(&next, with: starting) { next.places[index] = .create(starting) }
            return [("announces", next)]
        case .create(let starting):
            var failed = state
            failed.places[index] = .idle
            let standing = state.things[platform]?.phase
            let isFree = standing == nil || standing == .created || standing == .exited && assumptions.replacesWhatEnded
            guard isFree else {
                return [("can't have the name", failed)]
            }
            next.made += 1
            next.things[platform] = Thing(number: next.made, attempt: records[starting].attempt, phase: .created)
            next.places[index] = .begin(starting, thing: next.made)
            return [("makes it", next), ("fails to", failed)]
        case .begin(let starting, let thing):
            guard state.things[platform]?.number == thing else { return [("finds it gone", next)] }
            guard state.things[platform]?.phase == .created else { return [("finds it begun", next)] }
            if state.things.contains(where: { $0?.phase == .running }) { next.isDouble = true }
            next.things[platform]?.phase = .running
            next.starts.append(records[starting].attempt)
            let running = records[starting].next { run in
                run.phase = .running
                run.startedAt = RunPlanTests.due
            }
            var silent = next
            next.places[index] = .note(number(running))
            silent.places[index] = .idle
            if assumptions.discardsWhenInDoubt { silent.things[platform] = nil }
            return [("starts it", next), ("starts it and isn't told", silent)]
        case .remove(let thing, let wasRunning):
            guard state.things[platform]?.number == thing else { return [("finds it gone", next)] }
            if assumptions.removesOnlyWhatWasSeen, !wasRunning, state.things[platform]?.phase == .running {
                return [("leaves what runs", next)]
            }
            next.things[platform] = nil
            return [("removes it", next)]
        case .settle(let seen):
            let settled = number(records[seen].next { $0.result = .stored })
            replace(&next, with: settled)
            return [("settles it", next)]
        }
    }

    @discardableResult
    private func replace(_ state: inout State, with wanted: Int) -> Bool {
        guard records[state.record].revision == records[wanted].revision - 1 else { return state.record == wanted }
        state.record = wanted
        return true
    }

    /// Reads the platform, and decides.
    private mutating func looks(_ index: Int, _ seen: Int, _ state: State) -> [(String, State)] {
        let platform = assumptions.platforms[index]
        let thing = state.things[platform]
        let record = records[seen]
        let isPatient = !(assumptions.startsInTime && isStarting(besides: index, state))
        var found: Set<Place> = []
        for now in [RunPlanTests.due, RunPlanTests.tooLate] {
            for elapsed in isPatient ? [Duration.zero, .seconds(99_999)] : [.zero] {
                let view = RunView(
                    record: record,
                    observed: thing.map(observed),
                    now: assumptions.keepsTraces ? now : now.advanced(by: elapsed == .zero ? .zero : .seconds(9999)),
                    unchanged: elapsed,
                    missing: elapsed,
                    owner: owner(index, state),
                    platform: "\(platform)"
                )
                found.formUnion(places(view.step(RunPlanTests.patience), seen, thing, view))
            }
        }
        return found.map { place in
            var next = state
            next.places[index] = place
            return ("looks", next)
        }
    }

    private mutating func places(_ step: RunStep, _ seen: Int, _ thing: Thing?, _ view: RunView) -> [Place] {
        switch step {
        case .start: return [.announce(seen)]
        case .note(var run):
            if run.phase == .ended, run.isTriedAgain {
                run = run.nextAttempt(at: RunPlanTests.due, after: .zero)
            }
            var places = [Place.note(number(run))]
            if records[seen].phase == .starting, run.phase == .claimed {
                // A start that failed for good.
                places.append(.note(number(view.over(.notStarted, "refused"))))
            }
            return places
        case .remove: return thing.map { [.remove(thing: $0.number, wasRunning: $0.phase == .running)] } ?? []
        case .settle: return [.settle(seen)]
        case .stop, .wait, .nothing: return [.idle]
        }
    }

    private func observed(_ thing: Thing) -> ObservedRun {
        let exit = RunPlanTests.exit(assumptions.retries > thing.attempt ? 1 : 0)
        let phase: ObservedRun.Phase =
            switch thing.phase {
            case .created: .created
            case .running: .running(since: RunPlanTests.due)
            case .exited: .exited(exit)
            }
        return RunPlanTests.observed(phase, attempt: thing.attempt)
    }
}
