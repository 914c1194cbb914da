import Control
import Logging
import MemoryStore
import Model
import Runtime

// Bots that are Swift functions: one is started, changed, crashes, and is switched off.

let runner = TaskRunner([
    "buy-and-hold": { id, config in
        print("\(id): holds \(config["symbol"]?.string ?? "nothing")")
        try await Task.sleep(for: .seconds(3600))
    },
    "crash": { id, _ in throw CancellationError() },
])
let store = MemoryStore()
var logger = Logger(label: "example")
logger.logLevel = .info
let builder = LaunchSpecBuilder(
    catalogue: RuntimeCatalogue([LanguageRuntime(name: "swift", image: "none", entrypoint: .native)])
)
let reconciler = Reconciler(
    store: store,
    runner: runner,
    builder: builder,
    options: ReconcilerOptions(interval: .seconds(30)),
    logger: logger
)

func bot(_ id: BotID, _ strategy: String, _ config: JSONObject = [:]) -> Bot {
    let program = CustomBotConfig(name: strategy, runtime: "swift", entrypoints: ["bot": strategy])
    return Bot(
        id: id,
        config: config,
        custom: CustomBotVersion(version: "1", code: .object(key: "compiled in"), config: program)
    )
}

/// Waits until a bot is what it should be, started from these parameters.
func wait(_ id: BotID, _ status: String?, _ config: JSONObject? = nil) async throws {
    let hash = try config.map { try builder.spec(for: Executable(bot(id, "buy-and-hold", $0))).hash }
    while true {
        let runs = try await runner.runs(of: .live, id: id)
        let isAsked = hash == nil || runs.contains { $0.origin == hash.map(ObservedRun.Origin.hash) }
        if isAsked, reconciler.statuses.status(of: id)?.name == status { break }
        try await Task.sleep(for: .milliseconds(20))
    }
    print("\(id) is \(status ?? "gone")")
}

try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { await reconciler.run() }
    group.addTask { await runner.watch(.live) { reconciler.wake($0.map(Wake.bot) ?? .everything) } }
    store.put(bot("alice", "buy-and-hold", ["symbol": "BTC"]))
    store.put(bot("bob", "crash"))
    reconciler.wake(.everything)
    try await wait("alice", "running")
    try await wait("bob", "backing-off")
    store.put(bot("alice", "buy-and-hold", ["symbol": "ETH"]))
    store.remove("bob")
    reconciler.wake(.everything)
    try await wait("bob", nil)
    try await wait("alice", "running", ["symbol": "ETH"])
    store.remove("alice")
    reconciler.wake(.everything)
    try await wait("alice", nil)
    group.cancelAll()
}
