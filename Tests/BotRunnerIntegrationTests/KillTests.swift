import Foundation
import Model
import TestSupport
import Testing

/// The runner killed at random instants while bots come, change, crash and go.
///
/// `SOAK_KILLS` says how often, `SOAK_SEED` repeats a run: what happens and when is drawn from it.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(30)))
    func aRunnerKilledAtRandomInstantsLeavesExactlyWhatIsDesired() async throws {
        let settings = ProcessInfo.processInfo.environment
        let kills = settings["SOAK_KILLS"].flatMap { Int($0) } ?? 12
        let seed = settings["SOAK_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...9999)
        print("seed \(seed), \(kills) kills")
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let changes = BotChanges(seed: seed, platform: platform)
            let first = try stage.runner()
            try await first.waitUntilReady()
            try await changes.begin()
            await first.kill()
            var random = SeededGenerator(seed: seed)
            for kill in 1...kills {
                let runner = try stage.runner("--reconcile-interval", "2s")
                let number = Int.random(in: 1...3, using: &random)
                async let changing: Void = changes.make(number)
                // From before its first look to long after its last change.
                try await Task.sleep(for: .milliseconds(Int.random(in: 30...2500, using: &random)))
                await runner.kill()
                try await changing
                if kill.isMultiple(of: 10) { print("\(kill) kills of \(kills)") }
            }
            let last = try stage.runner("--reconcile-interval", "2s")
            try await last.waitUntilReady()
            let desired = await changes.desired
            try await slowly(within: .seconds(60), "seed \(seed): what is desired and nothing else") {
                if let difference = KillTests.difference(desired, try await stage.containers()) {
                    throw FixtureError(difference)
                }
                return true
            }
            KillTests.expectOneAtATime(stage, seed)
            #expect(await last.terminate() == .exited(0))
            KillTests.expectNothingHalfDone(stage, seed)
        }
    }
}

/// What must hold after everything.
private enum KillTests {
    /// How containers differ from what is desired: one of each bot, with its settings, running unless it always crashes.
    static func difference(_ desired: [BotEntry], _ found: [Container]) -> String? {
        guard found.map(\.bot).sorted() == desired.map(\.id).sorted() else {
            return "\(found.map(\.bot).sorted()) instead of \(desired.map(\.id))"
        }
        for bot in desired {
            let config = "BOT_CONFIG=\(JSONValue.object(bot.config).text)"
            guard let container = found.first(where: { $0.bot == bot.id }) else { continue }
            guard container.environment.contains(config) else {
                return "\(bot.id) runs with \(container.environment) instead of \(config)"
            }
            guard container.isRunning || bot.config["crashes"] == true else {
                return "\(bot.id) is \(container.status)"
            }
        }
        return nil
    }

    /// From the engine's own events, so that no moment is overlooked.
    static func expectOneAtATime(_ stage: Stage, _ seed: UInt64) {
        var running: [String: Set<String>] = [:]
        let events = (stage.happenings("start") + stage.happenings("die")).sorted { $0.time < $1.time }
        #expect(!events.isEmpty)
        for event in events {
            let bot = event.attributes["runtime.id"] ?? ""
            if event.action == "start" {
                #expect(running[bot, default: []].isEmpty, "seed \(seed): \(bot) runs twice")
                running[bot, default: []].insert(event.subject)
            } else {
                running[bot]?.remove(event.subject)
            }
        }
    }

    /// No download or unpacking that a killed runner has left half done.
    static func expectNothingHalfDone(_ stage: Stage, _ seed: UInt64) {
        let cache = stage.folder.file("cache")
        let paths = FileManager.default.enumerator(atPath: cache)?.compactMap { $0 as? String } ?? []
        #expect(!paths.isEmpty)
        let left = paths.filter { $0.contains("/work/") || $0.contains(".partial-") }
        #expect(left.isEmpty, "seed \(seed)")
    }
}

/// Changes of bots, half of them written to the database, half told by events: each bot by one way, so that it is known
/// which of two changes is the later one.
private actor BotChanges {
    private var random: SeededGenerator
    private let platform: Platform
    private var bots: [String: BotEntry] = [:]
    private var sleeper = ""
    private var crasher = ""
    private var count: Int64 = 0

    init(seed: UInt64, platform: Platform) {
        random = SeededGenerator(seed: ~seed)
        self.platform = platform
    }

    /// What should run now.
    var desired: [BotEntry] {
        bots.values.filter { $0.config["enabled"] != false }.sorted { $0.id < $1.id }
    }

    func begin() async throws {
        sleeper = try await platform.upload(.file("main.py", Program.sleeper))
        crasher = try await platform.upload(
            .file("main.py", "import time\nprint('crash')\ntime.sleep(0.2)\nraise SystemExit(3)\n")
        )
        for number in 0..<6 { try await change(number) }
    }

    func make(_ changes: Int) async throws {
        for _ in 0..<changes { try await change(Int.random(in: 0..<6, using: &random)) }
    }

    private func change(_ number: Int) async throws {
        let id = "bot-\(number)"
        let old = bots[id]
        count += 1
        if old != nil, Int.random(in: 0..<4, using: &random) == 0 {
            bots[id] = nil
        } else {
            let crashes = Int.random(in: 0..<4, using: &random) == 0
            var config: JSONObject = [
                "n": .integer(count), "crashes": .bool(crashes),
                "execution": ["restart": ["initial": "300ms", "maximum": "1s"]],
            ]
            if Int.random(in: 0..<6, using: &random) == 0 { config["enabled"] = false }
            bots[id] = BotEntry(id, code: crashes ? crasher : sleeper, config: config)
        }
        if number.isMultiple(of: 2) {
            if let bot = bots[id] { try await platform.put(bot) } else { try await platform.delete(id) }
        } else if let bot = bots[id] {
            try await platform.publish(old == nil ? "created" : "updated", bot)
        } else if let old {
            try await platform.publish("deleted", old)
        }
    }
}
