import Logging
import Model
import Synchronization
import TestSupport
import Testing
import Util

@testable import K8sMode

/// Contenders on a fake API server, with a clock that only the tests move.
@Suite(.timeLimit(.minutes(1))) struct LeaderElectionTests {
    private let clock = ManualClock()
    private let leases = FakeLeases()

    private func contender(_ identity: String, _ client: K8sClient, jitter: Double = 0) -> LeaderElection<ManualClock> {
        LeaderElection(
            leases: client.resources(Lease.self, in: "the0"),
            name: "controller",
            identity: identity,
            clock: clock,
            // A renewal that changes nothing in the Lease would be none.
            now: { [clock] in Timestamp(secondsSince1970: 1_800_000_000).advanced(by: clock.now.offset) },
            jitter: { jitter },
            logger: quiet
        )
    }

    /// Work that goes on until it is cancelled, and tells when.
    private final class Work: Sendable {
        private let state = Mutex((began: 0, ended: 0))
        var began: Int { state.withLock { $0.began } }
        var ended: Int { state.withLock { $0.ended } }
        var isRunning: Bool { state.withLock { $0.began > $0.ended } }

        func run() async {
            state.withLock { $0.began += 1 }
            // Ends with the task alone.
            let (stream, _) = AsyncStream<Void>.makeStream()
            for await _ in stream {}
            state.withLock { $0.ended += 1 }
        }
    }

    private func until(_ condition: () -> Bool) async { while !condition(), !Task.isCancelled { await Task.yield() } }

    /// Waits until somebody sleeps towards these moments, then moves the clock to the first one.
    private func advance(to moments: Duration...) async {
        await until { moments.allSatisfy { clock.deadlines.contains($0) } }
        clock.advance(by: moments[0] - clock.now.offset)
    }

    @Test func whoComesFirstLeadsAndRenews() async throws {
        try await withFake(leases.answer) { _, client in
            let work = Work()
            let election = contender("a", client)
            let leading = Task { try await election.lead(overdue: {}) { await work.run() } }
            await until { work.isRunning }
            #expect(leases.holder == "a" && leases.spec["leaseDurationSeconds"] == 15)
            #expect(leases.spec["leaseTransitions"] == 0)
            for moment in [2, 4, 6] {
                let writes = leases.writes
                await advance(to: .seconds(moment))
                await until { leases.writes == writes + 1 }
            }
            leading.cancel()
            let endLeading = try await leading.value
            #expect(endLeading == .finished)
            #expect(work.ended == 1)
            // Given back.
            #expect(leases.holder == "" && leases.spec["leaseDurationSeconds"] == 1)
        }
    }

    @Test func aLeaseIsTakenOverOnlyAfterItWasSeenUnchangedForItsDuration() async throws {
        // Renewed long ago, by a clock that is an hour late: its times count for nothing.
        leases.put(holder: "dead", renewed: "2020-01-01T00:00:00.000000Z")
        try await withFake(leases.answer) { _, client in
            let work = Work()
            let leaders = Mutex<[String]>([])
            let election = contender("b", client)
            let leading = Task {
                try await election.lead(standsBy: { leader in leaders.withLock { $0.append(leader) } }, overdue: {}) {
                    await work.run()
                }
            }
            for moment in stride(from: 2, through: 14, by: 2) {
                await until { leases.reads == moment / 2 }
                #expect(!work.isRunning)
                await advance(to: .seconds(moment))
            }
            await until { leases.reads == 8 }
            // At 14 s it is seen for the eighth time; at 16 s it has been the same for longer than 15 s.
            await advance(to: .seconds(16))
            await until { work.isRunning }
            #expect(leases.holder == "b" && leases.spec["leaseTransitions"] == 8)
            #expect(leaders.withLock { $0 } == ["dead"])
            leading.cancel()
            _ = try await leading.value
        }
    }

    @Test func aLeaderThatRenewsIsNotDisturbedAndOneThatGivesUpIsFollowedAtOnce() async throws {
        try await withFake(leases.answer) { _, client in
            let (first, second) = (Work(), Work())
            let a = contender("a", client)
            let b = contender("b", client, jitter: 0.5)
            let leading = Task { try await a.lead(overdue: {}) { await first.run() } }
            await until { first.isRunning }
            let standing = Task { try await b.lead(overdue: {}) { await second.run() } }
            for moment in 1...60 {
                // Nobody waits for an answer: that would be longer.
                await until {
                    clock.deadlines.count == 2 && clock.deadlines.allSatisfy { $0 <= clock.now.offset + .seconds(3) }
                }
                clock.advance(by: .seconds(1))
                #expect(first.isRunning && !second.isRunning, "\(moment) s")
            }
            leading.cancel()
            let endLeading = try await leading.value
            #expect(endLeading == .finished)
            // No 15 seconds: the next attempt, at most three seconds later, gets it.
            let given = clock.now.offset
            while !second.isRunning, !Task.isCancelled {
                let deadlines = clock.deadlines
                if deadlines.count == 1, deadlines.allSatisfy({ $0 <= clock.now.offset + .seconds(3) }) {
                    clock.advance(by: .seconds(1))
                }
                await Task.yield()
            }
            #expect(clock.now.offset - given < .seconds(10))
            #expect(!first.isRunning)
            standing.cancel()
            _ = try await standing.value
        }
    }

    @Test func aLeaderThatCannotRenewStopsBeforeAnotherMayBegin() async throws {
        try await withFake(leases.answer) { _, client in
            let work = Work()
            let overdue = Mutex(0)
            let election = contender("a", client)
            let leading = Task {
                try await election.lead(overdue: { overdue.withLock { $0 += 1 } }) { await work.run() }
            }
            await until { work.isRunning }
            leases.fail(with: .status(500, "InternalError", "etcd is away"))
            for moment in [2, 4, 6, 8] {
                let asked = leases.asked
                await advance(to: .seconds(moment))
                await until { leases.asked > asked }
                #expect(work.isRunning)
            }
            await advance(to: .seconds(10))
            guard case .lost(let reason) = try await leading.value else { throw FixtureError("not lost") }
            #expect(reason.contains("not renewed within"))
            #expect(work.ended == 1 && clock.now.offset == .seconds(10))
            #expect(overdue.withLock { $0 } == 0)
            // Nothing was given back that may be another one's.
            #expect(leases.holder == "a")
        }
    }

    @Test func aServerThatHangsIsNotWaitedForPastTheDeadline() async throws {
        try await withFake(leases.answer) { _, client in
            let work = Work()
            let election = contender("a", client)
            let leading = Task { try await election.lead(overdue: {}) { await work.run() } }
            await until { work.isRunning }
            leases.fail(with: .hang)
            await advance(to: .seconds(2))
            // The request that hangs is broken off at ten seconds after the last renewal.
            await advance(to: .seconds(10))
            guard case .lost = try await leading.value else { throw FixtureError("not lost") }
            #expect(work.ended == 1)
        }
    }

    @Test func workThatDoesNotEndIsToldAboutWhenAnotherMayBegin() async throws {
        try await withFake(leases.answer) { _, client in
            let overdue = Mutex(false)
            let (stubborn, release) = AsyncStream<Void>.makeStream()
            let isRunning = Mutex(false)
            let election = contender("a", client)
            let leading = Task {
                try await election.lead(overdue: { overdue.withLock { $0 = true } }) {
                    isRunning.withLock { $0 = true }
                    // A cancellation doesn't reach it.
                    await Task { for await _ in stubborn {} }.value
                }
            }
            await until { isRunning.withLock { $0 } }
            leases.put(holder: "b", renewed: "2026-01-01T00:00:00.000000Z")
            await advance(to: .seconds(2))
            await until { clock.deadlines == [.seconds(15)] }
            #expect(!overdue.withLock { $0 })
            await advance(to: .seconds(15))
            await until { overdue.withLock { $0 } }
            release.finish()
            let endLeading = try await leading.value
            #expect(endLeading == .lost(reason: "it is held by \"b\""))
            #expect(leases.holder == "b")
        }
    }

    @Test func theLeaseIsRenewedUntilTheWorkHasEnded() async throws {
        try await withFake(leases.answer) { _, client in
            let (winding, end) = AsyncStream<Void>.makeStream()
            let isRunning = Mutex(false)
            let election = contender("a", client)
            let leading = Task {
                try await election.lead(overdue: {}) {
                    isRunning.withLock { $0 = true }
                    await Task { for await _ in winding {} }.value
                }
            }
            await until { isRunning.withLock { $0 } }
            leading.cancel()
            for moment in stride(from: 2, through: 30, by: 2) {
                let writes = leases.writes
                await advance(to: .seconds(moment))
                await until { leases.writes == writes + 1 }
                #expect(leases.holder == "a")
            }
            end.finish()
            let endLeading = try await leading.value
            #expect(endLeading == .finished)
            #expect(leases.holder == "")
        }
    }

    @Test func aSpuriousWriteOfOthersIsNoLoss() async throws {
        try await withFake(leases.answer) { _, client in
            let work = Work()
            let election = contender("a", client)
            let leading = Task { try await election.lead(overdue: {}) { await work.run() } }
            await until { work.isRunning }
            // A conflict, then a Lease that was deleted.
            leases.conflictOnce()
            await advance(to: .seconds(2))
            await until { leases.conflicts == 1 }
            leases.delete()
            await advance(to: .seconds(4))
            await until { leases.holder == "a" }
            #expect(work.isRunning)
            leading.cancel()
            let endLeading = try await leading.value
            #expect(endLeading == .finished)
        }
    }

    @Test func theErrorOfTheWorkIsHandedOnAfterTheLeaseIsGivenBack() async throws {
        struct Broken: Error {}
        try await withFake(leases.answer) { _, client in
            let election = contender("a", client)
            await #expect(throws: Broken.self) { try await election.lead(overdue: {}) { throw Broken() } }
            #expect(leases.holder == "")
        }
    }

    @Test func whoStandsByEndsWhenCancelled() async throws {
        leases.put(holder: "other", renewed: "2026-01-01T00:00:00.000000Z")
        try await withFake(leases.answer) { _, client in
            let election = contender("a", client)
            let leading = Task { try await election.lead(overdue: {}) { Issue.record("doesn't lead") } }
            await until { clock.deadlines.contains(.seconds(2)) }
            leading.cancel()
            await #expect(throws: CancellationError.self) { try await leading.value }
            #expect(leases.holder == "other")
        }
    }

    @Test(arguments: [(15, 15, 2), (15, 10, 6), (0, -1, 0), (15, 10, 0)])
    func timingsThatCannotWorkAreRefused(_ duration: Int, _ deadline: Int, _ period: Int) {
        let error = #expect(throws: K8sError.self) {
            _ = try LeaseTiming(
                duration: .seconds(duration),
                renewDeadline: .seconds(deadline),
                retryPeriod: .seconds(period)
            )
        }
        #expect(error?.code == .setting)
    }
}

/// No API server: one Lease, whose versions are compared.
final class FakeLeases: Sendable {
    private struct State {
        var spec: JSONObject?
        var version = 1
        var reads = 0
        var writes = 0
        var asked = 0
        var conflicts = 0
        var conflictsOnce = false
        var failure: FakeAnswer?
    }

    private let state = Mutex(State())

    var spec: JSONObject { state.withLock { $0.spec ?? [:] } }
    var holder: String? { spec["holderIdentity"]?.string }
    var reads: Int { state.withLock { $0.reads } }
    var writes: Int { state.withLock { $0.writes } }
    var asked: Int { state.withLock { $0.asked } }
    var conflicts: Int { state.withLock { $0.conflicts } }

    func put(holder: String, renewed: String) {
        state.withLock { state in
            state.version += 1
            state.spec = [
                "holderIdentity": .string(holder), "leaseDurationSeconds": 15, "renewTime": .string(renewed),
                "leaseTransitions": 7,
            ]
        }
    }

    func delete() { state.withLock { $0.spec = nil } }
    func fail(with answer: FakeAnswer) { state.withLock { $0.failure = answer } }
    func conflictOnce() { state.withLock { $0.conflictsOnce = true } }

    func answer(_ request: FakeRequest, _ number: Int) -> FakeAnswer {
        state.withLock { state in
            state.asked += 1
            if let failure = state.failure { return failure }
            switch request.method {
            case "GET":
                guard state.spec != nil else { return .status(404, "NotFound") }
                state.reads += 1
            case "POST":
                guard state.spec == nil else { return .status(409, "AlreadyExists") }
                write(request, &state)
            case "PUT":
                let version = request.json?[["metadata", "resourceVersion"]]?.string
                guard !state.conflictsOnce, version == String(state.version), state.spec != nil else {
                    state.conflictsOnce = false
                    state.conflicts += 1
                    return .status(409, "Conflict")
                }
                write(request, &state)
            default: return .status(405, "MethodNotAllowed")
            }
            let object: JSONValue = [
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": [
                    "name": "controller", "namespace": "the0", "uid": "u",
                    "resourceVersion": .string(String(state.version)),
                ],
                "spec": .object(state.spec ?? [:]),
            ]
            return .ok(object.text)
        }
    }

    private func write(_ request: FakeRequest, _ state: inout State) {
        state.spec = request.json?["spec"]?.object
        state.version += 1
        state.writes += 1
    }
}
