import Foundation
import Model
import TestSupport
import Testing

/// The runner killed at random instants while bots come, change, crash and go.
///
/// `SOAK_FAULTS` says how often, `SOAK_SEED` repeats a run: what happens and when is drawn from it.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(30)))
    func aRunnerKilledAtRandomInstantsLeavesExactlyWhatIsDesired() async throws {
        let plan = SoakPlan(faults: 12, seconds: 0)
        let (seed, kills) = (plan.seed, plan.faults)
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let changes = BotChanges("killed", seed: seed, platform: platform)
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
                if kill.isMultiple(of: 10) { plan.report("\(kill) kills of \(kills)") }
            }
            let last = try stage.runner("--reconcile-interval", "2s")
            try await last.waitUntilReady()
            try await KillTests.expect(await changes.desired, on: stage, seed: seed)
            // What is removed is read to its end before.
            try await changes.end()
            try await KillTests.expect([], on: stage, seed: seed)
            KillTests.expectOneAtATime(stage, seed)
            #expect(await last.terminate() == .exited(0))
            KillTests.expectNothingHalfDone(stage, seed)
            try await KillTests.expectEveryLine(of: changes.ids, stage, platform, seed)
        }
    }
}

/// What must hold after everything.
enum KillTests {
    /// Waits until what is desired runs, and nothing else.
    static func expect(_ desired: [BotEntry], on stage: Stage, seed: UInt64) async throws {
        try await slowly(within: .seconds(90), "seed \(seed): what is desired and nothing else") {
            if let difference = difference(desired, try await stage.containers()) { throw FixtureError(difference) }
            return true
        }
    }

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

    /// Every line once and in order, and the last ones of every run that ended by itself.
    ///
    /// A run that is stopped may have written its last line before: only the exit code says that it came to its end.
    ///
    /// A runner that ends stores what it can in a few seconds; what it leaves in the spool is the next one's to store.
    static func expectEveryLine(of bots: [String], _ stage: Stage, _ platform: Platform, _ seed: UInt64) async throws {
        _ = try stage.runner()
        var lines = 0
        for bot in bots {
            let crashed = stage.happenings("die", of: bot).filter { $0.attributes["exitCode"] == "3" }.map(\.subject)
            let stored = try await slowly(within: .seconds(120), "seed \(seed): every line of \(bot) is stored") {
                let stored = try CountedLines(try await platform.storedLines(of: bot))
                // What is out of place stays so: there is nothing to wait for.
                if stored.problem != nil { return stored }
                if let lacking = crashed.first(where: { !stored.hasEnded(in: $0) }) {
                    throw FixtureError("the end of \(lacking) isn't stored: \(stored.runs)")
                }
                return stored
            }
            #expect(stored.problem == nil, "seed \(seed): \(bot)")
            lines += stored.runs.reduce(0) { $0 + $1.count }
        }
        #expect(lines > 0)
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
