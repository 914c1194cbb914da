import Control
import Model
import TestSupport
import Testing
import Util

@testable import MongoStore

extension MongoIntegration {
    @Suite struct RunStoreTests {
        @Test(arguments: [false, true]) func theContractOfRuns(indexed: Bool) async throws {
            try await MongoServer.with { server in
                let store = MongoRunStore(try server.connection())
                if indexed {
                    #expect(try await store.ensureIndexes() == .ensured)
                    #expect(try await store.ensureIndexes() == .ensured)
                }
                try await RunStoreContract.all(store) { try await store.collection.fill([]) }
            }
        }

        @Test func f29TwoSchedulersWithConnectionsOfTheirOwnAddEachRunOnce() async throws {
            try await MongoServer.with { server in
                let stores = [MongoRunStore(try server.connection()), MongoRunStore(try server.connection())]
                let runs = (0..<300).map { run(BotID("s\($0)")) }
                async let first = stores[0].add(runs)
                async let second = stores[1].add(runs.reversed())
                let (one, other) = (try await first, try await second)
                #expect(one.isDisjoint(with: other))
                #expect(one.union(other) == Set(runs.map(\.key)))
            }
        }

        @Test func f65ABrokenRecordIsReportedOnceAndItsSlotStaysTaken() async throws {
            try await MongoServer.with { server in
                let lines = LogLines()
                let store = MongoRunStore(try server.connection(logger: lines.logger))
                let (good, broken, newer, foreign) = (run("good"), run("broken"), run("newer"), run("foreign"))
                var documents = [good, broken, newer, foreign].map(\.stored)
                documents[1]["claimed_at"] = 7
                documents[2]["phase"] = "hibernating"
                documents[3]["_id"] = "somebody else's"
                try await store.collection.fill(documents)
                for _ in 0..<2 {
                    #expect(try await store.unfinished(of: nil) == [good])
                    #expect(try await store.history(of: nil, limit: 10) == [good])
                    #expect(try await store.runs([good.key, broken.key, newer.key]) == [good])
                }
                #expect(try await store.add([good, broken, newer]).isEmpty)
                #expect(lines.count(of: "a run's record can't be used") == 3)
                #expect(lines.text.contains("claimed_at"))
                #expect(lines.text.contains("phase is unknown"))
                // What isn't known to have ended is never forgotten.
                try await store.trim("newer", keeping: 0)
                #expect(try await store.collection.documents(["schedule_id": "newer"]).count == 1)
            }
        }

        @Test func withoutAServerItIsNotKnownWhatWasDone() async throws {
            try await MongoServer.with { server in
                let store = MongoRunStore(try server.connection())
                let first = run("a")
                #expect(try await store.add([first]) == [first.key])
                await server.service.kill()
                let errors = [
                    await #expect(throws: StoreError.self) { try await store.add([run("b")]) },
                    await #expect(throws: StoreError.self) {
                        try await store.replace(first.next { $0.phase = .starting })
                    },
                    await #expect(throws: StoreError.self) { try await store.unfinished(of: nil) },
                    await #expect(throws: StoreError.self) { try await store.trim("a", keeping: 1) },
                ]
                #expect(errors.map { $0?.code } == [.unavailable, .unavailable, .unavailable, .unavailable])
            }
        }

        @Test func aRunTooLargeIsRefusedAndNothingIsAdded() async throws {
            try await MongoServer.with { server in
                let store = MongoRunStore(try server.connection())
                var large = run("large")
                large.reason = String(repeating: "x", count: 17 * 1024 * 1024)
                let error = await #expect(throws: StoreError.self) { try await store.add([run("a"), large]) }
                #expect(error?.code == .refused)
                #expect(try await store.unfinished(of: nil).isEmpty)
            }
        }
    }
}

private func run(_ id: BotID) -> RunRecord {
    let time = Timestamp(secondsSince1970: 1_767_258_000)
    return RunRecord(id: id, slot: 60, owner: "o", claimedAt: time, notBefore: time, startBy: time)
}
