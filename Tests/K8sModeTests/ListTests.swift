import Model
import Testing

@testable import K8sMode

/// Lists in pages, from a fake server.
@Suite struct ListTests {
    /// So many Pods, in pages of what is asked for.
    private static func page(_ request: FakeRequest, of total: Int = 600, expiresAt: Int? = nil) -> FakeAnswer {
        let start = request.query["continue"].flatMap { Int($0) } ?? 0
        if let expiresAt, start >= expiresAt { return .status(410, "Expired", "too old") }
        let limit = request.query["limit"].flatMap { Int($0) } ?? total
        let pods = (start..<min(start + limit, total)).map {
            pod("p\($0)", version: $0 + 1, extra: #","managedFields":[{"manager":"x"}]"#)
        }
        return .ok(podList(pods, version: 77, next: start + limit < total ? "\(start + limit)" : ""))
    }

    @Test func tenThousandObjectsComeInPages() async throws {
        try await withFake { request, _ in
            Self.page(request, of: 10_000)
        } _: { server, client in
            let list = try await client.resources(Pod.self, in: "the0").list(Selection(labels: "a in (b,c)"))
            #expect(list.items.count == 10_000)
            #expect(Set(list.items.map(\.name)).count == 10_000)
            #expect(list.resourceVersion == "77")
            #expect(server.requests.count == 20)
            #expect(server.requests.allSatisfy { $0.query["labelSelector"] == "a in (b,c)" })
            let first = try #require(list.items.first)
            #expect(first.json["kind"] == "Pod")
            #expect(first.json[["metadata", "managedFields"]] == nil)
        }
    }

    @Test func aListThatOutlivesItsPagesIsBegunAgain() async throws {
        try await withFake { request, number in
            Self.page(request, expiresAt: number <= 5 ? 200 : nil)
        } _: { server, client in
            let list = try await client.resources(Pod.self, in: "the0").list(pageSize: 50)
            // Nothing of the list that was given up is in it twice.
            #expect(list.items.count == 600)
            #expect(server.requests.count { $0.query["continue"] == nil } == 2)
        }
    }

    @Test func aListThatAlwaysOutlivesItsPagesIsAskedForInOnePiece() async throws {
        try await withFake { request, _ in
            Self.page(request, expiresAt: 50)
        } _: { server, client in
            let list = try await client.resources(Pod.self, in: "the0").list(pageSize: 50)
            #expect(list.items.count == 600)
            #expect(server.requests.last?.query["limit"] == nil)
        }
    }

    @Test func anExpiryOfTheWholeIsAnError() async throws {
        try await withFake { _, _ in
            .status(410, "Expired")
        } _: { server, client in
            #expect(
                await failure { try await client.resources(Pod.self, in: "the0").list(pageSize: 50) }?.code == .expired
            )
            #expect(server.requests.count < 10)
        }
    }

    @Test(arguments: [
        "{}", "[]", #"{"kind":"PodList","items":[]}"#, #"{"kind":"PodList","metadata":{"resourceVersion":"1"}}"#,
        #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":{}}"#,
        #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{}]}"#,
        #"{"kind":"PodList","metadata":{"resourceVersion":""},"items":[]}"#,
        #"{"kind":"SecretList","metadata":{"resourceVersion":"1"},"items":[]}"#,
        #"{"kind":"PodList","metadata":{"resourceVersion":"1","continue":"same"},"items":[]}"#,
    ])
    func whatIsNoWholeListIsNeverAnEmptyOne(_ text: String) async throws {
        try await withFake { _, _ in
            .ok(text)
        } _: { _, client in
            #expect(
                await failure { try await client.resources(Pod.self, in: "the0").list(pageSize: 50) }?.code
                    == .badAnswer
            )
        }
    }

    @Test func nullIsHowGoWritesAnEmptyList() async throws {
        let text = #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":null}"#
        try await withFake { _, _ in
            .ok(text)
        } _: { _, client in
            let list = try await client.resources(Pod.self, in: "the0").list(pageSize: 50)
            #expect(list.items.isEmpty)
        }
    }

    @Test(arguments: [FakeAnswer.status(500, "InternalError"), .reset, .ok("garbage")])
    func aPageThatFailsFailsTheList(_ answer: FakeAnswer) async throws {
        try await withFake { request, _ in
            request.query["continue"] == "100" ? answer : Self.page(request)
        } _: {
            _,
            client in
            #expect(await failure { try await client.resources(Pod.self, in: "the0").list(pageSize: 50) } != nil)
        }
    }
}
