public import Control
import Model
import Testing
import Util

/// What every ``RunStore`` promises. A store's tests call these with a store of their own and a way to empty it.
public enum RunStoreContract {
    /// All that it promises, on a store that is empty before each part.
    public static func all(_ store: any RunStore, empty: @Sendable () async throws -> Void) async throws {
        let parts: [@Sendable (any RunStore) async throws -> Void] = [
            runsAreKeptWhole, aKeyIsAddedOnce, ofConcurrentAddersOneWins, manyAreAddedAtOnce, aRunFollowsItsRevision,
            ofConcurrentReplacersOneWins, hostileIDsAreIDs, unfinishedRunsAreFound, historyIsNewestFirst,
            theLatestOfEachIsFound, trimmingForgetsTheOldest,
        ]
        for part in parts {
            try await empty()
            try await part(store)
        }
    }

    /// Every field comes back as it was.
    public static func runsAreKeptWhole(_ store: any RunStore) async throws {
        #expect(try await store.unfinished(of: nil).isEmpty)
        #expect(try await store.history(of: nil, limit: 10).isEmpty)
        #expect(try await store.add([]).isEmpty)
        #expect(try await store.runs([]).isEmpty)
        let plain = run("a", 60)
        var full = run("a", Slot(.max, trigger: .manual))
        full.phase = .ended
        full.platform = "docker 'x' \"y\"\n"
        full.attempt = 3
        full.retries = 7
        full.timeout = 1 << 40
        full.startedAt = Timestamp(nanosecondsSince1970: 1_767_258_000_123_456_789)
        full.endedAt = Timestamp(nanosecondsSince1970: 1_767_258_001_000_000_001)
        full.stop = .timeout
        full.outcome = .timedOut
        full.exitCode = -1
        full.reason = "$reason. 日本🤖 {\"a\": 1}"
        full.result = .superseded
        let skipped = RunRecord.skipped("b", 0, owner: "o", at: time(5), reason: "suspended")
        #expect(try await store.add([plain, full, skipped]) == [plain.key, full.key, skipped.key])
        let read = try await store.runs([plain.key, skipped.key, full.key, RunKey("none", 60), RunKey("a", 61)])
        #expect(read.count == 3)
        #expect(Set(read) == [plain, full, skipped])
    }

    /// A run whose key is there already isn't added and changes nothing; a run that was asked for is another one.
    public static func aKeyIsAddedOnce(_ store: any RunStore) async throws {
        let first = run("a", 60)
        #expect(try await store.add([first]) == [first.key])
        let (other, manual) = (run("b", 60), run("a", Slot(60, trigger: .manual)))
        let second = run("a", 60, owner: "another")
        #expect(try await store.add([second, other, manual]) == [other.key, manual.key])
        #expect(try await store.add([second, other, manual]).isEmpty)
        #expect(Set(try await store.runs([first.key, other.key, manual.key])) == [first, other, manual])
        // Twice in one call.
        #expect(try await store.add([run("c", 60, owner: "1"), run("c", 60, owner: "1")]) == [RunKey("c", 60)])
        #expect(try await store.history(of: "c", limit: 10).count == 1)
    }

    /// Of several who add the same keys each key is added by one, whose run it is then.
    public static func ofConcurrentAddersOneWins(_ store: any RunStore) async throws {
        let won = try await withThrowingTaskGroup(of: (String, Set<RunKey>).self) { group in
            for adder in 0..<8 {
                let runs = (0..<100).map { run(BotID("s\($0)"), 60, owner: "adder \(adder)") }.shuffled()
                group.addTask { ("adder \(adder)", try await store.add(runs)) }
            }
            return try await group.reduce(into: [(owner: String, key: RunKey)]()) { all, next in
                all += next.1.map { (next.0, $0) }
            }
        }
        #expect(won.count == 100)
        #expect(Set(won.map(\.key)).count == 100)
        let owners = Dictionary(won.map { ($0.key, $0.owner) }, uniquingKeysWith: { first, _ in first })
        let runs = try await store.runs(won.map(\.key))
        #expect(Dictionary(runs.map { ($0.key, $0.owner) }, uniquingKeysWith: { first, _ in first }) == owners)
    }

    /// A thousand in one call, every other of them there already.
    public static func manyAreAddedAtOnce(_ store: any RunStore) async throws {
        let all = (0..<1000).map { run(BotID("s\($0)"), 60) }
        let half = all.indices.filter { $0.isMultiple(of: 2) }.map { all[$0] }
        #expect(try await store.add(half).count == 500)
        #expect(try await store.add(all) == Set(all.map(\.key)).subtracting(half.map(\.key)))
        #expect(try await store.runs(all.map(\.key)).count == 1000)
        #expect(try await store.unfinished(of: nil).count == 1000)
    }

    /// Only who has read the last revision can go on with a run.
    public static func aRunFollowsItsRevision(_ store: any RunStore) async throws {
        let first = run("a", 60)
        let second = first.next { $0.phase = .starting }
        #expect(try await !store.replace(second))
        #expect(try await store.runs([first.key]).isEmpty)
        #expect(try await store.add([first, run("b", 60)]).count == 2)
        let third = second.next { $0.phase = .running }
        #expect(try await !store.replace(third))
        #expect(try await store.replace(second))
        // Once more, as after an answer that was lost: it stands there already.
        #expect(try await store.replace(second))
        #expect(try await !store.replace(first.next { $0.owner = "another" }))
        #expect(try await store.runs([first.key]) == [second])
        #expect(try await store.replace(third))
        #expect(try await !store.replace(second))
        #expect(
            try await store.replace(
                third.next {
                    $0.phase = .ended; $0.outcome = .succeeded
                }
            )
        )
        #expect(try await store.unfinished(of: nil).map(\.id) == ["b"])
        // What is gone from a record is gone from the store.
        var bare = third.next {
            $0.phase = .ended; $0.outcome = .succeeded
        }.next { $0.outcome = nil }
        bare.phase = .claimed
        #expect(try await store.replace(bare))
        #expect(try await store.runs([first.key]) == [bare])
    }

    /// Of several who go on from the same revision exactly one is told that he did.
    public static func ofConcurrentReplacersOneWins(_ store: any RunStore) async throws {
        var last = run("a", 60)
        _ = try await store.add([last])
        for _ in 0..<10 {
            let read = last
            let won = try await withThrowingTaskGroup(of: String?.self) { group in
                for replacer in 0..<8 {
                    let next = read.next { $0.owner = "replacer \(replacer)" }
                    group.addTask { try await store.replace(next) ? next.owner : nil }
                }
                return try await group.reduce(into: [String]()) { all, owner in if let owner { all.append(owner) } }
            }
            #expect(won.count == 1)
            last = try #require(try await store.runs([last.key]).first)
            #expect(won == [last.owner])
            #expect(last.revision == read.revision + 1)
        }
    }

    /// An id is data, byte for byte.
    public static func hostileIDsAreIDs(_ store: any RunStore) async throws {
        // One that reads like the key of another, however keys are written.
        let ids = StoreContract.hostileIDs + ["60", "schedule:60:a", "60:a", "a:60", "manual-60:a"]
        let runs = ids.flatMap { [run($0, 60), run($0, Slot(60, trigger: .manual)), run($0, 6)] }
        #expect(try await store.add(runs) == Set(runs.map(\.key)))
        #expect(Set(try await store.runs(runs.map(\.key))) == Set(runs))
        for id in ids {
            #expect(try await store.unfinished(of: [id]).count == 3)
            #expect(try await store.history(of: id, limit: 10).map(\.id) == [id, id, id])
            #expect(try await store.replace(run(id, 60).next { $0.phase = .ended }))
            #expect(try await store.replace(run(id, 6).next { $0.phase = .ended }))
            try await store.trim(id, keeping: 2)
            #expect(try await store.history(of: id, limit: 10).count == 2)
        }
        #expect(try await store.unfinished(of: nil).count == ids.count)
        #expect(try await store.runs(runs.map(\.key)).count == ids.count * 2)
    }

    static func run(_ id: BotID, _ slot: Slot, owner: String = "owner") -> RunRecord {
        RunRecord(id: id, slot: slot, owner: owner, claimedAt: time(1), notBefore: time(2), startBy: time(3))
    }

    static func time(_ seconds: Int64) -> Timestamp { Timestamp(secondsSince1970: 1_767_258_000 + seconds) }
}
