import HTTP
import Logging
import Model
import Runtime
import Synchronization
import Util

@testable import DockerMode

/// Counts.
final class Counter: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
}

/// Code that is always there.
struct FakeCode: CodeProvider {
    var files: Set<String> = ["main.py"]
    var digest: String?

    func withCode<Result: Sendable>(
        of version: CustomBotVersion,
        _ body: @Sendable (CodeArchive) async throws(RunnerError) -> Result
    ) async throws(RunnerError) -> Result {
        try await body(CodeArchive(path: "/dev/null", size: 0, files: files, digest: digest))
    }
}

/// Runs a test against a fake engine, and stops it afterwards.
func withFakeEngine(
    _ handler: @escaping @Sendable (FakeRequest, Int) -> FakeAnswer,
    settings: DockerSettings = DockerSettings(stopGrace: .zero),
    code: FakeCode = FakeCode(),
    _ body: (FakeEngine, DockerRunner) async throws -> Void
) async throws {
    let engine = try FakeEngine(handler)
    defer { engine.stop() }
    try await body(engine, fakeRunner(engine.path, settings: settings, code: code))
}

func fakeRunner(
    _ path: String,
    settings: DockerSettings = DockerSettings(stopGrace: .zero),
    code: FakeCode = FakeCode()
) -> DockerRunner {
    DockerRunner(
        connection: DockerConnection(unixSocket: path),
        instance: "test",
        code: code,
        settings: settings,
        client: HTTPClient(),
        logger: Logger(label: "fake") { _ in SwiftLogNoOpLogHandler() }
    )
}

func fakeSpec(_ id: BotID = "bot", sandbox: Sandbox = Sandbox(), config: JSONObject = [:]) throws -> LaunchSpec {
    let version = CustomBotVersion(
        version: "1",
        code: .object(key: "key"),
        config: CustomBotConfig(name: "x", runtime: "python3.11", entrypoints: ["bot": "main.py"])
    )
    let executable = Executable(id: id, kind: .live, config: config, custom: version)
    return try LaunchSpecBuilder(sandbox: sandbox).spec(for: executable)
}

func fakeRun(_ reference: String = "abc", _ phase: ObservedRun.Phase = .running(since: .init(secondsSince1970: 0)))
    -> ObservedRun
{
    ObservedRun(
        reference: reference,
        id: "bot",
        kind: .live,
        origin: .hash(""),
        attempt: 0,
        createdAt: .init(secondsSince1970: 0),
        phase: phase
    )
}
