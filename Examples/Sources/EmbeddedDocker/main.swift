import CodeCache
import Control
import DockerMode
import Foundation
import Logging
import MemoryStore
import Model
import Runtime
import Util

// The Docker backend inside a program of one's own: a bot in a container, changed and removed by this program.

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("embedded-docker-\(getpid())")
try FileManager.default.createDirectory(at: folder.appendingPathComponent("code"), withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }
let program = """
    import os, time
    print(os.environ["BOT_ID"], "trades", os.environ["BOT_CONFIG"], flush=True)
    time.sleep(3600)
    """
try Data(program.utf8).write(to: folder.appendingPathComponent("code/main.py"))

let instance = "example"
let logger = Logger(label: "example")
let sandbox = Sandbox()
let code = try await CodeCache.open(
    directory: folder.appendingPathComponent("cache").path,
    storage: nil,
    storageName: "",
    options: CodeCacheOptions(owner: .init(uid: sandbox.user.user, gid: sandbox.user.group)),
    executor: BlockingExecutor(name: "files")
)
let runner = DockerRunner(
    connection: try DockerConnection(environment: ProcessInfo.processInfo.environment),
    instance: instance,
    code: code,
    settings: DockerSettings(stopGrace: .seconds(2)),
    logger: logger
)
try await runner.ping()

let store = MemoryStore()
let reconciler = Reconciler(
    store: store,
    runner: runner,
    builder: LaunchSpecBuilder(sandbox: sandbox),
    options: ReconcilerOptions(),
    logger: logger
)

func bot(_ config: JSONObject) throws -> Bot {
    let path = folder.appendingPathComponent("code").path
    return Bot(
        id: "alice",
        config: config,
        custom: CustomBotVersion(
            version: "1",
            code: .directory(path: path, digest: try CodeFolder(path: path).digest()),
            config: CustomBotConfig(name: "alice", runtime: "python3.11", entrypoints: ["bot": "main.py"])
        )
    )
}

/// Has everything done that is to be done, and shows what the bot then prints.
func settle() async throws {
    let failed = try await reconciler.runOnce()
    for (id, reason) in failed { throw RunnerError(.failedToStart, "\(id): \(reason)") }
    for run in try await runner.runs(of: .live) {
        var lines: [OutputLine] = []
        while lines.isEmpty { lines = try await runner.lastLines(of: run, limit: 1) }
        print(lines[0].text)
    }
}

store.put(try bot(["symbol": "BTC"]))
try await settle()
store.put(try bot(["symbol": "ETH"]))
try await settle()
store.remove("alice")
try await settle()
print("\(try await runner.runs(of: .live).count) containers are left")
