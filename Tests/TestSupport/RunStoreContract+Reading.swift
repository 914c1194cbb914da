public import Control
import Model
import Testing

extension RunStoreContract {
    /// Every run that hasn't ended, however old, of all schedules or of some.
    public static func unfinishedRunsAreFound(_ store: any RunStore) async throws {
        var runs: [RunRecord] = []
        for (index, phase) in RunRecord.Phase.allCases.enumerated() {
            for id: BotID in ["a", "b", "c"] {
                var run = run(id, Slot(Int64(index)))
                run.phase = phase
                if phase == .ended { run.outcome = .succeeded }
                runs.append(run)
            }
        }
        #expect(try await store.add(runs).count == runs.count)
        let unfinished = runs.filter { $0.phase != .ended }
        #expect(sorted(try await store.unfinished(of: nil)) == sorted(unfinished))
        #expect(
            sorted(try await store.unfinished(of: ["a", "c", "a", "none"]))
                == sorted(unfinished.filter { $0.id != "b" })
        )
        #expect(try await store.unfinished(of: ["none"]).isEmpty)
        #expect(try await store.unfinished(of: []).isEmpty)
    }

    /// The newest slots first, no more than asked for.
    public static func historyIsNewestFirst(_ store: any RunStore) async throws {
        let slots: [Slot] = [60, 120, 9, 1_000_000, Slot(120, trigger: .manual), -5, 0]
        let runs = ["a", "b"].flatMap { id in slots.shuffled().map { run(id, $0) } }
        _ = try await store.add(runs)
        let newestFirst = slots.sorted(by: >)
        #expect(newestFirst.first == 1_000_000)
        #expect(try await store.history(of: "a", limit: 100).map(\.slot) == newestFirst)
        #expect(try await store.history(of: "a", limit: 3).map(\.slot) == Array(newestFirst.prefix(3)))
        #expect(try await store.history(of: "a", limit: 0).isEmpty)
        #expect(try await store.history(of: "none", limit: 3).isEmpty)
        let all = try await store.history(of: nil, limit: 100)
        #expect(all.map(\.slot) == newestFirst.flatMap { [$0, $0] })
        #expect(try await store.history(of: nil, limit: 3).map(\.slot) == all.prefix(3).map(\.slot))
    }

    /// The newest of each, of one kind or of any, however many others are newer.
    public static func theLatestOfEachIsFound(_ store: any RunStore) async throws {
        var runs = (0..<30).map { run("a", Slot(1000 + Int64($0), trigger: .manual)) }
        runs += [run("a", 3), run("a", 900), run("b", 7), run("b", 40), run("c", Slot(1, trigger: .manual))]
        runs.append(.skipped("d", -60, owner: "o", at: time(1), reason: "why"))
        _ = try await store.add(runs.shuffled())
        func latest(_ ids: [BotID]?, _ trigger: Slot.Trigger?) async throws -> [String] {
            try await store.latest(of: ids, trigger: trigger).map { "\($0.id) \($0.slot)" }.sorted()
        }
        #expect(try await latest(nil, nil) == ["a manual-1029", "b 40", "c manual-1", "d -60"])
        #expect(try await latest(nil, .schedule) == ["a 900", "b 40", "d -60"])
        #expect(try await latest(nil, .manual) == ["a manual-1029", "c manual-1"])
        #expect(try await latest(["a", "c", "a", "none"], .schedule) == ["a 900"])
        #expect(try await latest(["d", "none"], nil) == ["d -60"])
        #expect(try await latest([], nil).isEmpty)
        #expect(try await store.latest(of: ["d"], trigger: .schedule) == runs.suffix(1))
    }

    /// Of a schedule the newest runs are kept, and those that haven't ended.
    public static func trimmingForgetsTheOldest(_ store: any RunStore) async throws {
        let runs = (0..<40).map { index in
            var run = run("a", Slot(Int64(index)))
            if index != 3, index != 39 { run.phase = .ended }
            return run
        }
        let other = RunRecord.skipped("b", 1, owner: "o", at: time(1), reason: "")
        _ = try await store.add(runs + [other])
        try await store.trim("a", keeping: 40)
        try await store.trim("none", keeping: 0)
        #expect(try await store.history(of: nil, limit: 100).count == 41)
        try await store.trim("a", keeping: 5)
        #expect(try await store.history(of: "a", limit: 100).map(\.slot.time) == [39, 38, 37, 36, 35, 3])
        try await store.trim("a", keeping: 0)
        #expect(try await store.history(of: "a", limit: 100).map(\.slot.time) == [39, 3])
        #expect(try await store.runs([other.key]) == [other])
        // A key that was forgotten may be added again: whoever asks has to know that its slot is past.
        #expect(try await store.add([run("a", 0)]) == [RunKey("a", 0)])
    }

    private static func sorted(_ runs: [RunRecord]) -> [RunRecord] {
        runs.sorted { ($0.id, $0.slot) < ($1.id, $1.slot) }
    }
}
