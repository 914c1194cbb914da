import Control
import Model
import TestSupport
import Testing
import Util

@Suite struct MemorySchedulingTests {
    @Test func theContractOfSchedules() async throws {
        let store = MemoryScheduleStore()
        try await ScheduleStoreContract.all(store) { entries in store.fill(entries.map(\.document)) }
    }

    @Test func theContractOfRuns() async throws {
        let store = MemoryRunStore()
        try await RunStoreContract.all(store) { store.empty() }
    }

    @Test func aCallFailsOnceBeforeOrAfterItsWork() async throws {
        let (store, error) = (MemoryRunStore(), StoreError(.unavailable, "on purpose"))
        let run = RunRecord.skipped("a", 1, owner: "o", at: .now, reason: "")
        store.failNext(error)
        store.failNext(error, .after)
        await #expect(throws: StoreError.self) { try await store.add([run]) }
        #expect(store.all.isEmpty)
        await #expect(throws: StoreError.self) { try await store.add([run]) }
        #expect(store.all == [run])
        #expect(try await store.add([run]).isEmpty)
    }
}
