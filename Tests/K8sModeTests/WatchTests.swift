import Model
import Testing

@testable import K8sMode

/// One watch of a fake server.
@Suite struct WatchTests {
    private func events(_ answer: FakeAnswer) async throws -> (
        told: [String], error: K8sError?, query: [String: String]
    ) {
        var told: [String] = []
        var error: K8sError?
        var query: [String: String] = [:]
        try await withFake { _, _ in
            answer
        } _: { server, client in
            do {
                let pods = client.resources(Pod.self, in: "the0")
                let watch = try await pods.watch(Selection(labels: "a=b"), from: "7", timeoutSeconds: 9)
                for try await event in watch {
                    switch event {
                    case .added(let pod): told.append("+\(pod.name)")
                    case .modified(let pod): told.append("~\(pod.name)")
                    case .deleted(let pod): told.append("-\(pod.name)")
                    case .bookmark(let version): told.append("@\(version)")
                    }
                }
            } catch let failure as K8sError {
                error = failure
            }
            query = server.requests.last?.query ?? [:]
        }
        return (told, error, query)
    }

    @Test func eventsComeWhereverPiecesAreCut() async throws {
        let text =
            event("ADDED", pod("ü", version: 1)) + event("MODIFIED", pod("b", version: 2)) + "\n"
            + event("DELETED", pod("c", version: 3))
            + event("BOOKMARK", #"{"kind":"Pod","metadata":{"resourceVersion":"9"}}"#)
        for size in [7, 40, 1000] {
            let bytes = Array(text.unicodeScalars)
            let pieces = stride(from: 0, to: bytes.count, by: size).map { start in
                String(String.UnicodeScalarView(bytes[start..<min(start + size, bytes.count)]))
            }
            let result = try await events(.stream(pieces, closes: true))
            #expect(result.told == ["+ü", "~b", "-c", "@9"])
            #expect(result.error == nil)
            #expect(
                result.query == [
                    "watch": "true", "resourceVersion": "7", "allowWatchBookmarks": "true", "timeoutSeconds": "9",
                    "labelSelector": "a=b",
                ]
            )
        }
    }

    @Test(arguments: [
        (#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#, K8sError.Code.expired),
        (#"{"kind":"Status","code":410,"reason":"Gone","message":"too old"}"#, .expired),
        (#"{"kind":"Status","code":500,"reason":"InternalError","message":"etcd"}"#, .failed),
        (#"{"kind":"Pod"}"#, .badAnswer),
    ])
    func errorEventsEndIt(_ status: String, code: K8sError.Code) async throws {
        let pieces = [
            event("ADDED", pod("a", version: 8)), event("ERROR", status), event("ADDED", pod("b", version: 9)),
        ]
        let result = try await events(.stream(pieces, closes: true))
        #expect(result.told == ["+a"])
        #expect(result.error?.code == code)
    }

    @Test(arguments: [
        "garbage\n", "[]\n", "{}\n", event("ADDED", "{}"), event("ADDED", "7"),
        event("ADDED", #"{"metadata":{"resourceVersion":"1"}}"#), event("ADDED", #"{"metadata":{"name":"x"}}"#),
        event("SURPRISE", pod("x", version: 1)), #"{"type":"ADDED","#,
    ])
    func garbageEndsIt(_ line: String) async throws {
        let result = try await events(.stream([event("ADDED", pod("a", version: 8)), line], closes: true))
        #expect(result.told == ["+a"])
        #expect(result.error?.code == .badAnswer)
    }

    @Test func aBrokenConnectionIsAnError() async throws {
        let result = try await events(.cut([event("ADDED", pod("a", version: 8))]))
        #expect(result.told == ["+a"])
        #expect(result.error?.code == .unreachable)
    }

    @Test func linesAreBounded() throws {
        var splitter = LineSplitter(limit: 10)
        let call = K8sCall(path: "/x")
        #expect(try splitter.add(Array("0123456789\nabc".utf8), call).count == 1)
        #expect(throws: K8sError.self) { try splitter.add(Array("defghijkl".utf8), call) }
    }
}
