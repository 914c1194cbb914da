import Entrypoints
import Model
import Runtime
import Testing

@testable import DockerMode

/// Images with code, on engines that refuse to make them, and how long they are kept.
@Suite struct CodeImageTests {
    /// A fake that has the prepared image and makes containers.
    private static func willing(_ request: FakeRequest) -> FakeAnswer {
        switch request.line {
        case "POST /containers/create": .json(201, #"{"Id":"c1"}"#)
        case "POST /volumes/create": .json(201, #"{"Name":"v"}"#)
        case "GET /networks": .ok(#"[{"Name":"the0-test","Id":"n1","Created":"2026"}]"#)
        case "POST /commit": .json(201, #"{"Id":"sha256:2"}"#)
        default:
            if request.path.hasPrefix("/images/the0-runtime/code") {
                .json(404, #"{"message":"no such image"}"#)
            } else if request.path.hasPrefix("/images/") {
                .ok(#"{"Id":"sha256:1"}"#)
            } else if request.method == "PUT" {
                .ok()
            } else {
                .none
            }
        }
    }

    private static func sent(_ engine: FakeEngine) -> Int {
        engine.lines.filter { $0 == "PUT /containers/c1/archive" }.count
    }

    @Test func theSecondBotOfACodeHasAnImageMade() async throws {
        let code = FakeCode(digest: "abc")
        try await withFakeEngine({ request, _ in Self.willing(request) }, code: code) { engine, runner in
            try await runner.start(try fakeSpec("first"), attempt: 0)
            try await runner.start(try fakeSpec("first"), attempt: 1)
            #expect(Self.sent(engine) == 2 && !engine.lines.contains("POST /commit"))
            // Once more for the image.
            try await runner.start(try fakeSpec("second"), attempt: 0)
            #expect(Self.sent(engine) == 3 && engine.lines.contains("POST /commit"))
            for id in ["first", "third"] as [BotID] { try await runner.start(try fakeSpec(id), attempt: 0) }
            #expect(Self.sent(engine) == 3)
            #expect(engine.lines.filter { $0.hasPrefix("GET /images/the0-runtime/code") }.count == 3)
        }
    }

    @Test(arguments: ["POST /commit", "PUT /containers/c2/archive"])
    func whereNoImageCanBeMadeCodeIsSent(_ line: String) async throws {
        let code = FakeCode(digest: "abc")
        let making = Counter()
        try await withFakeEngine(
            { request, _ in
                if request.line == line { return .json(500, #"{"message":"no space left"}"#) }
                let isPreparation = String(decoding: request.body, as: UTF8.self).contains("runtime.preparing")
                if request.line == "POST /containers/create", isPreparation {
                    making.add()
                    return .json(201, #"{"Id":"c2"}"#)
                }
                return Self.willing(request)
            },
            code: code
        ) { engine, runner in
            try await runner.start(try fakeSpec("first"), attempt: 0)
            for id in ["second", "third"] as [BotID] { try await runner.start(try fakeSpec(id), attempt: 0) }
            #expect(making.value == 1)
            #expect(engine.lines.last == "POST /containers/c1/start")
            #expect(engine.lines.contains("DELETE /containers/c2"))
            #expect(Self.sent(engine) == 3)
        }
    }

    @Test func oldImagesWithCodeAreOfferedToTheEngineForRemoval() async throws {
        let files = PreparedImages.filesDigest(.python)
        func image(_ name: String, created: Int, code: String?) -> String {
            let extra = code.map { #","runtime.prepared.code":"\#($0)""# } ?? ""
            return #"""
                {"Id":"sha256:\#(name)","RepoTags":["the0-runtime/\#(name):1"],"Created":\#(created),
                "Labels":{"runtime.prepared":"true","runtime.prepared.base":"sha256:1","runtime.prepared.kind":"python",
                "runtime.prepared.files":"\#(files)","runtime.image":"python:3.11-slim"\#(extra)}}
                """#
        }
        // The engine's clock shows ten minutes past midnight.
        let midnight = 1_767_225_600
        let list = [
            image("plain", created: midnight - 90_000, code: nil), image("old", created: midnight - 3600, code: "a"),
            image("young", created: midnight - 2400, code: "b"), image("used", created: midnight - 90_000, code: "c"),
        ]
        try await withFakeEngine({ request, _ in
            switch request.line {
            case "GET /images/json": .ok("[\(list.joined(separator: ","))]")
            case "GET /info": .ok(#"{"SystemTime":"2026-01-01T00:10:00Z"}"#)
            case "GET /volumes": .ok(#"{"Volumes":[]}"#)
            case "GET /containers/json": .ok("[]")
            case "DELETE /images/the0-runtime/used%3A1": .json(409, #"{"message":"in use"}"#)
            case let line where line.hasPrefix("DELETE"): .ok("[]")
            default: .ok(#"{"Id":"sha256:1"}"#)
            }
        }) { engine, runner in
            try await runner.removeLeftovers(known: [])
            let removed = engine.lines.filter { $0.hasPrefix("DELETE") }
            #expect(removed == ["DELETE /images/the0-runtime/old%3A1", "DELETE /images/the0-runtime/used%3A1"])
        }
    }
}
