import Model
import Synchronization
import TestSupport
import Testing
import Util

@testable import K8sMode

/// The cache over servers that end watches, forget, hang and write nonsense; fakes, all of them.
@Suite struct WatchCacheTests {
    /// Runs a cache beside a test.
    private func withCache(
        silence: Duration = .seconds(60),
        _ handler: @escaping @Sendable (FakeRequest, Int) -> FakeAnswer,
        _ body: (WatchCache<Pod>, FakeAPIServer) async throws -> Void
    ) async throws {
        try await withFake(handler) { server, client in
            let cache = WatchCache(
                client.resources(Pod.self, in: "the0"),
                settings: WatchSettings(longestSilence: silence, backoff: try .instant()),
                logger: quiet
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await cache.run() }
                defer { group.cancelAll() }
                try await body(cache, server)
            }
        }
    }

    /// The first changes that come, each as `+name`, `~name` or `-name`.
    private func changes(_ count: Int, of changes: ObjectChanges<Pod>) async -> Set<String> {
        var told: Set<String> = []
        for await change in changes {
            let mark = change.previous == nil ? "+" : change.current == nil ? "-" : "~"
            told.insert(mark + change.key.name + (change.current?.resourceVersion ?? ""))
            if told.count == count { break }
        }
        return told
    }

    @Test func oneListThenAWatchFromItsMoment() async throws {
        try await withCache { request, _ in
            request.isWatch
                ? .stream(
                    [event("MODIFIED", pod("a", version: 8)), event("DELETED", pod("b", version: 9))],
                    closes: false
                )
                : .ok(podList([pod("a", version: 1), pod("b", version: 2)], version: 7))
        } _: { cache, server in
            #expect(await changes(2, of: cache.changes()).count == 2)
            try await cache.waitUntilSynced()
            try await eventually(within: .seconds(60)) { cache.count == 1 }
            #expect(cache.isSynced && cache.isConnected)
            #expect(cache.object(ObjectKey(namespace: "the0", name: "a"))?.resourceVersion == "8")
            #expect(server.requests.map { $0.query["resourceVersion"] } == [nil, "7"])
        }
    }

    @Test func nothingIsKnownBeforeTheListIsWhole() async throws {
        let gate = Atomic(false)
        try await withCache { request, _ in
            if request.isWatch { return .stream([], closes: false) }
            if request.query["continue"] == nil { return .ok(podList([pod("a", version: 1)], version: 7, next: "2")) }
            return gate.load(ordering: .relaxed) ? .ok(podList([], version: 7)) : .status(500, "InternalError")
        } _: { cache, server in
            try await eventually(within: .seconds(60)) { server.requests.count > 6 }
            #expect(!cache.isSynced)
            #expect(cache.count == 0)
            gate.store(true, ordering: .relaxed)
            try await cache.waitUntilSynced()
            #expect(cache.count == 1)
        }
    }

    @Test func aWatchThatEndsGoesOnWhereItWas() async throws {
        try await withCache { request, number in
            guard request.isWatch else { return .ok(podList([], version: 7)) }
            switch number {
            case 1: return .stream([event("ADDED", pod("a", version: 8))], closes: true)
            case 2: return .stream([event("BOOKMARK", #"{"metadata":{"resourceVersion":"50"}}"#)], closes: true)
            case 3: return .cut([event("ADDED", pod("b", version: 51))])
            case 4: return .reset
            case 5: return .stream([event("ADDED", pod("c", version: 52)) + "garbage\n"], closes: false)
            case 6: return .status(503, "ServiceUnavailable")
            default: return .stream([], closes: false)
            }
        } _: { cache, server in
            try await eventually(within: .seconds(60)) { server.requests.count { $0.isWatch } == 7 }
            #expect(
                server.requests.filter(\.isWatch).map { $0.query["resourceVersion"] } == [
                    "7", "8", "50", "51", "51", "52", "52",
                ]
            )
            // One list only, whatever became of the watches.
            #expect(server.requests.count { !$0.isWatch } == 1)
            #expect(cache.count == 3)
        }
    }

    @Test(arguments: [true, false]) func aForgottenMomentIsListedAgain(asEvent: Bool) async throws {
        try await withCache { request, number in
            if request.isWatch {
                guard number == 1 else { return .stream([], closes: false) }
                return asEvent
                    ? .stream([event("ERROR", #"{"kind":"Status","code":410,"reason":"Expired"}"#)], closes: true)
                    : .status(410, "Gone")
            }
            return number == 1
                ? .ok(podList([pod("same", version: 1), pod("gone", version: 2), pod("old", version: 3)], version: 7))
                : .ok(podList([pod("same", version: 1), pod("old", version: 9), pod("new", version: 10)], version: 11))
        } _: { cache, server in
            try await eventually(within: .seconds(60)) { server.requests.count { $0.isWatch } == 2 }
            #expect(server.requests.last?.query["resourceVersion"] == "11")
            #expect(Set(cache.objects.map(\.name)) == ["same", "old", "new"])
        }
    }

    @Test func whatAListChangesIsTold() throws {
        let store = CacheStore<Pod>()
        func parsed(_ name: String, _ version: Int, uid: String? = nil) throws -> Pod {
            Pod(json: try #require(try JSONValue.parse(pod(name, version: version, uid: uid)).object))
        }
        func told(_ feed: ChangeFeed<Pod>) -> Set<String> {
            var result: Set<String> = []
            while let change = store.take(from: feed) {
                result.insert(
                    "\(change.key.name) \(change.previous?.resourceVersion ?? "none") \(change.current?.resourceVersion ?? "none")"
                )
            }
            return result
        }
        let feed = store.subscribe()
        store.replace([try parsed("same", 1), try parsed("gone", 2), try parsed("old", 3)])
        #expect(told(feed) == ["same none 1", "gone none 2", "old none 3"])
        store.replace([try parsed("same", 1), try parsed("old", 9), try parsed("new", 10)])
        #expect(told(feed) == ["gone 2 none", "old 3 9", "new none 10"])
        // Many changes that nobody took are one; one that came and went is none.
        store.put(try parsed("old", 11))
        store.put(try parsed("old", 12))
        store.put(try parsed("brief", 13))
        store.remove(try parsed("brief", 14))
        store.remove(try parsed("new", 15))
        store.put(try parsed("new", 16, uid: "other"))
        #expect(told(feed) == ["old 9 12", "new 10 16"])
        // What is told twice is no change.
        store.put(try parsed("old", 12))
        store.remove(try parsed("never", 1))
        #expect(told(feed).isEmpty)
        #expect(told(store.subscribe()) == ["same none 1", "old none 12", "new none 16"])
    }

    @Test func aSilentWatchIsBegunAnew() async throws {
        try await withCache(silence: .milliseconds(20)) { request, _ in
            request.isWatch ? .stream([], closes: false) : .ok(podList([], version: 7))
        } _: { cache, server in
            try await eventually(within: .seconds(60)) { server.requests.count { $0.isWatch } >= 3 }
            #expect(server.requests.count { !$0.isWatch } == 1)
        }
    }

    @Test func aServerThatHangsIsGivenUpWithTheCache() async throws {
        try await withCache { _, _ in
            .hang
        } _: { cache, server in
            try await eventually(within: .seconds(60)) { !server.requests.isEmpty }
            #expect(!cache.isSynced)
        }
    }

    @Test func waitingEndsWithItsTask() async throws {
        try await withCache { _, _ in
            .hang
        } _: { cache, _ in
            let waiting = Task { try await cache.waitUntilSynced() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let listening = Task { await changes(1, of: cache.changes()) }
            listening.cancel()
            #expect(await listening.value.isEmpty)
        }
    }

    @Test func changesEndWithTheCache() async throws {
        try await withFake { request, _ in
            request.isWatch ? .stream([], closes: false) : .ok(podList([], version: 1))
        } _: {
            _,
            client in
            let cache = WatchCache(client.resources(Pod.self, in: "the0"), logger: quiet)
            let changes = cache.changes()
            let running = Task { await cache.run() }
            let listening = Task {
                for await _ in changes {}
                return true
            }
            try await cache.waitUntilSynced()
            running.cancel()
            await running.value
            #expect(await listening.value)
        }
    }

    @Test func onlyWhatIsKeptIsHeld() async throws {
        try await withFake { request, _ in
            request.isWatch
                ? .stream([event("ADDED", pod("b", version: 2, extra: #","managedFields":[{}]"#))], closes: false)
                : .ok(podList([pod("a", version: 1, extra: #","managedFields":[{}],"labels":{"x":"y"}"#)], version: 1))
        } _: { _, client in
            let cache = WatchCache(client.resources(Pod.self, in: "the0"), logger: quiet)
            let running = Task { await cache.run() }
            defer { running.cancel() }
            try await eventually(within: .seconds(60)) { cache.count == 2 }
            #expect(cache.objects.allSatisfy { $0.json[["metadata", "managedFields"]] == nil })
        }
    }

    @Test func tenThousandObjectsAreHeldAndTold() async throws {
        try await withCache { request, _ in
            if request.isWatch { return .stream([event("DELETED", pod("p5", version: 20_000))], closes: false) }
            let start = request.query["continue"].flatMap { Int($0) } ?? 0
            let pods = (start..<start + 500).map { pod("p\($0)", version: $0 + 1) }
            return .ok(podList(pods, version: 10_001, next: start + 500 < 10_000 ? "\(start + 500)" : ""))
        } _: { cache, _ in
            #expect(await changes(9_999, of: cache.changes()).count == 9_999)
            try await eventually(within: .seconds(60)) { cache.count == 9_999 }
        }
    }
}
