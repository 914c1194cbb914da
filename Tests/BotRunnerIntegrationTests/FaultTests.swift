import Foundation
import Model
import TestSupport
import Testing

/// The services failing, alone and two at a time, while bots change.
///
/// `SOAK_FAULTS` says how many faults there are, `SOAK_FAULT_SECONDS` how long each lasts, `SOAK_SEED` repeats a run.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(120)))
    func servicesThatAreKilledHangOrCrawlLeaveExactlyWhatIsDesired() async throws {
        let plan = SoakPlan(faults: 8, seconds: 2)
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let runner = try stage.runner("--reconcile-interval", "2s")
            try await runner.waitUntilReady()
            let changes = BotChanges("failing", seed: plan.seed, platform: platform)
            try await changes.begin()
            var random = SeededGenerator(seed: plan.seed)
            for fault in 1...plan.faults {
                let parts = Array(
                    FailingPart.allCases.shuffled(using: &random).prefix(Bool.random(using: &random) ? 1 : 2)
                )
                let ways = parts.map { _ in Failing.allCases.randomElement(using: &random) ?? .killed }
                let what = zip(parts, ways).map { "\($0.rawValue) \($1.rawValue)" }.joined(separator: ", ")
                plan.report("fault \(fault) of \(plan.faults): \(what)")
                let failing = zip(parts, ways).map { (service: $0.service(of: platform), way: $1) }
                async let failures: Void = withThrowingTaskGroup(of: Void.self) { group in
                    for (service, way) in failing {
                        group.addTask { try await way.apply(to: service, for: .seconds(plan.seconds)) }
                    }
                    try await group.waitForAll()
                }
                try await changes.make(3, without: Set(parts))
                try await failures
                try await changes.make(1)
            }
            try await KillTests.expect(await changes.desired, on: stage, seed: plan.seed)
            // What is removed is read to its end before.
            try await changes.end()
            try await KillTests.expect([], on: stage, seed: plan.seed)
            KillTests.expectOneAtATime(stage, plan.seed)
            #expect(await runner.terminate() == .exited(0))
            KillTests.expectNothingHalfDone(stage, plan.seed)
            try await KillTests.expectEveryLine(of: changes.ids, stage, platform, plan.seed)
        }
    }

    @Test(.timeLimit(.minutes(60)))
    func anEngineThatIsKilledAndStartedAgainEndsWithExactlyWhatIsDesired() async throws {
        let plan = SoakPlan(faults: 2, seconds: 2)
        let own = try await PrivateEngine.start(images: ["python"])
        do {
            try await Stage.withPlatform(killedEngine: own.engine) { stage, platform in
                try await platform.makeStream()
                let runner = try stage.runner("--reconcile-interval", "2s")
                try await runner.waitUntilReady()
                let changes = BotChanges("engine", seed: plan.seed, platform: platform)
                try await changes.begin()
                for fault in 1...plan.faults {
                    plan.report("engine killed \(fault) of \(plan.faults) times")
                    try await own.crash()
                    try await changes.make(2)
                    try await Task.sleep(for: .seconds(plan.seconds))
                    try await own.start()
                    try await changes.make(2)
                }
                try await KillTests.expect(await changes.desired, on: stage, seed: plan.seed)
                #expect(await runner.terminate() == .exited(0))
            }
        } catch {
            await own.stop()
            throw error
        }
        await own.stop()
    }
}

/// How long a soak goes on, from the environment.
struct SoakPlan: Sendable {
    let seed: UInt64
    let faults: Int
    let seconds: Int

    /// - Parameters:
    ///   - faults: how many faults there are when nothing is said.
    ///   - seconds: how long each lasts when nothing is said.
    init(faults: Int, seconds: Int) {
        let settings = ProcessInfo.processInfo.environment
        seed = settings["SOAK_SEED"].flatMap { UInt64($0) } ?? 20_261
        self.faults = settings["SOAK_FAULTS"].flatMap { Int($0) } ?? faults
        self.seconds = settings["SOAK_FAULT_SECONDS"].flatMap { Int($0) } ?? seconds
        report("seed \(seed)")
    }

    /// Says at once how far it is: a soak takes its time.
    func report(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data("soak: \(text)\n".utf8)) }
}

/// A service that fails.
enum FailingPart: String, CaseIterable, Sendable {
    case mongo
    case nats
    case objects

    fileprivate func service(of platform: Platform) -> LocalService {
        switch self {
        case .mongo: platform.mongo.service
        case .nats: platform.nats.service
        case .objects: platform.objects.service
        }
    }
}

/// How it fails.
private enum Failing: String, CaseIterable {
    case killed
    case hung
    case slow

    func apply(to service: LocalService, for time: Duration) async throws {
        switch self {
        case .killed:
            await service.kill()
            try await Task.sleep(for: time)
            try await service.start()
        case .hung:
            service.hang()
            try await Task.sleep(for: time)
            try await service.resume()
        case .slow:
            // It runs for a tenth of the time.
            let end = ContinuousClock.now.advanced(by: time)
            while ContinuousClock.now < end {
                service.hang()
                try await Task.sleep(for: .milliseconds(90))
                service.letGo()
                try await Task.sleep(for: .milliseconds(10))
            }
            try await service.resume()
        }
    }
}
