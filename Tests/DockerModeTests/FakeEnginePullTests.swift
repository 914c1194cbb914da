import HTTP
import Logging
import Runtime
import Testing

@testable import DockerMode

/// Pulls with the policy `always` of registries that are in trouble.
@Suite struct FakeEnginePullTests {
    private static let image = "python:3.11-slim"

    private static func store(_ engine: FakeEngine, patience: Duration = .seconds(30)) -> ImageStore {
        let logger = Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() }
        let connection = DockerConnection(unixSocket: engine.path)
        return ImageStore(
            engine: Engine(connection: connection, client: HTTPClient(), logger: logger),
            policy: .always,
            pulls: SingleFlight(),
            logger: logger,
            patience: patience
        )
    }

    private static func failing(_ trouble: FakeAnswer, local: Bool = true) -> @Sendable (FakeRequest, Int) -> FakeAnswer
    {
        { request, _ in
            if request.line == "POST /images/create" { return trouble }
            return local ? .ok(#"{"Id":"sha256:1"}"#) : .json(404, "")
        }
    }

    @Test(arguments: [
        FakeAnswer.json(500, #"{"message":"no such host"}"#), .json(404, #"{"message":"manifest unknown"}"#),
        .stream([#"{"error":"denied"}"# + "\n"], closes: true), .raw("nonsense"), .closes,
    ])
    func whateverFailsAtAPullTheImageThatIsThereIsUsed(_ trouble: FakeAnswer) async throws {
        let engine = try FakeEngine(Self.failing(trouble))
        defer { engine.stop() }
        #expect(try await Self.store(engine).id(of: Self.image) == "sha256:1")
        #expect(engine.lines.contains("POST /images/create"))
    }

    @Test func aRegistryThatKeepsSilentIsNotWaitedForLong() async throws {
        let engine = try FakeEngine(Self.failing(.hang))
        defer { engine.stop() }
        #expect(try await Self.store(engine, patience: .milliseconds(1)).id(of: Self.image) == "sha256:1")
        #expect(engine.lines.last?.hasPrefix("GET /images/python") == true)
    }

    @Test func withoutAnImageTheTroubleIsTold() async throws {
        let engine = try FakeEngine(Self.failing(.hang, local: false))
        defer { engine.stop() }
        let error = await #expect(throws: RunnerError.self) {
            try await Self.store(engine, patience: .milliseconds(1)).id(of: Self.image)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("no answer within") == true)
    }

    @Test func aPullThatIsCancelledIsNoReasonToUseWhatIsThere() async throws {
        let reached = AsyncStream<Void>.makeStream()
        let engine = try FakeEngine { request, _ in
            if request.line != "POST /images/create" { return .ok(#"{"Id":"sha256:1"}"#) }
            reached.continuation.yield()
            return .hang
        }
        defer { engine.stop() }
        let store = Self.store(engine)
        let pull = Task { try await store.id(of: Self.image) }
        for await _ in reached.stream { break }
        pull.cancel()
        let result = await pull.result
        let error = #expect(throws: RunnerError.self) { try result.get() }
        #expect(error?.code == .cancelled)
    }
}
