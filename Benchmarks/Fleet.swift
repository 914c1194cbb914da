import Model
import TestSupport

/// A program over a fleet: documents in MongoDB, events by NATS, and an engine answered by a recorded fake.
struct Fleet: Sendable {
    let bots: [BotEntry]
    let engine: FakeEngine
    let platform: Platform
    let process: RuntimeProcess

    /// Runs a body with a program that has nothing to do, after its first passes.
    /// - Parameter collectsLogs: whether the output of each bot, of which there is none, is followed.
    static func with<Result>(
        _ count: Int,
        _ bench: BenchEnvironment,
        _ platform: Platform,
        interval: String,
        collectsLogs: Bool,
        _ body: (Fleet) async throws -> Result
    ) async throws -> Result {
        let recording = try await bench.recorded()
        let instance = "\(bench.run)-fleet"
        let bots = BotDirectory.ids(count).map { BotEntry(id: $0, key: "bench/fleet.zip") }
        say("a fleet of \(count) bots: writing documents, starting the recorded fake engine")
        try await platform.replaceBots(bots.map { JSONValue($0.document) }, bench.folder)
        let engine = try await FakeEngine(recording, bots: bots, instance: instance)
        let process: RuntimeProcess
        do {
            process = try RuntimeProcess(
                ["bot-runner"],
                environment: bench.settings(instance, engine: engine.address)
                    .merging(platform.environment) { own, _ in own }
                    .merging(["RECONCILE_INTERVAL": interval, "COLLECT_LOGS": "\(collectsLogs)"]) { _, new in new },
                log: bench.folder.file("fleet.log")
            )
        } catch {
            await engine.stop()
            throw error
        }
        let outcome: Swift.Result<Result, any Error>
        do {
            let fleet = Fleet(bots: bots, engine: engine, platform: platform, process: process)
            try await fleet.waitUntilSettled()
            let result = try await body(fleet)
            try await fleet.check()
            outcome = .success(result)
        } catch {
            outcome = .failure(FixtureError("\(error)\n\(process.output.suffix(2000))"))
        }
        await process.stop()
        await engine.stop()
        return try outcome.get()
    }

    /// Ready, and no pass for two seconds that a source's first connection has asked for.
    private func waitUntilSettled() async throws {
        try await process.waitUntilReady()
        let running = #"bots{status="running"}"#
        try await eventually(within: .seconds(60), "\(bots.count) bots run") {
            try await process.metrics()[running] == Double(bots.count)
        }
        try await Task.sleep(for: .seconds(3))
    }

    /// A fleet for which something was done measures something else.
    private func check() async throws {
        let counters = try await engine.counters()
        guard counters.writes == 0 else {
            throw FixtureError("the program wanted to change something \(counters.writes) times; expected nothing")
        }
    }
}
