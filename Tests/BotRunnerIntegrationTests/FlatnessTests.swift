import Foundation
import Model
import TestSupport
import Testing

/// The runner's memory and descriptors while bots log, change and crash: what it once has is all it takes.
///
/// `SOAK_MINUTES` says how long; without it 20 seconds. `SOAK_FLATNESS` names a file for what was measured.
extension PlatformIntegration {
    @Test(.timeLimit(.minutes(180)))
    func memoryAndDescriptorsStayFlatWhileBotsLogChangeAndCrash() async throws {
        let plan = FlatnessPlan()
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let runner = try stage.runner("--reconcile-interval", "5s", environment: ["LOG_LEVEL": "info"])
            try await runner.waitUntilReady()
            let bots = try await ChangingBots(plan.soak.seed, count: plan.bots, platform: platform)
            // What only begins to fill (pools, caches, the day's objects) is no growth yet.
            try await bots.settle(on: stage)
            let samples = try await plan.sample(runner) { try await bots.changeOne() }
            let memory = Slope(samples.map { ($0.seconds, $0.own) })
            let descriptors = Slope(samples.map { ($0.seconds, Double($0.descriptors)) })
            let report = plan.report(samples, memory, descriptors)
            plan.soak.report(report)
            try plan.write(report)
            #expect(samples.count >= 5)
            // A leak of a descriptor or of a hundred bytes per change or crash is more than this over an hour.
            #expect(memory.growth <= plan.mostGrowth, "\(report)")
            #expect(descriptors.growth <= plan.mostDescriptors, "\(report)")
            #expect(await runner.terminate() == .exited(0))
        }
    }
}

/// How long, and what counts as flat.
struct FlatnessPlan: Sendable {
    let soak = SoakPlan(faults: 0, seconds: 0)
    let bots: Int
    private let length: Duration
    private let pause: Duration
    private let file: String?

    init() {
        let settings = ProcessInfo.processInfo.environment
        let minutes = settings["SOAK_MINUTES"].flatMap { Double($0) }
        length = minutes.map { .seconds($0 * 60) } ?? .seconds(20)
        // Every ten seconds, but thirty times at least.
        pause = min(.seconds(10), length / 30)
        bots = minutes == nil ? 8 : 20
        file = settings["SOAK_FLATNESS"]
    }

    /// The most that the memory of its own may grow from the first third's level to the end by the line through all samples, in KiB.
    ///
    /// Short runs are still in what fills pools and pages; from half an hour on 4 MiB is a tenth of what the runner has.
    var mostGrowth: Double { length < .seconds(1800) ? 12_288 : 4096 }

    /// The same for open files and sockets: a few connections come and go.
    var mostDescriptors: Double { 6 }

    struct Sample: Sendable {
        var seconds: Double
        var kilobytes: Double
        /// Of these, what isn't the program's own text and its libraries', of which more is resident the more of it has run.
        var own: Double
        var descriptors: Int
        /// As its own metrics tell.
        var reported: Double
    }

    /// Samples while something is done again and again.
    func sample(_ runner: RunnerProcess, meanwhile act: () async throws -> Void) async throws -> [Sample] {
        let start = ContinuousClock.now
        var samples: [Sample] = []
        var next = start
        while start.duration(to: .now) < length {
            try await act()
            guard ContinuousClock.now >= next else { continue }
            next = next.advanced(by: pause)
            let status = try String(contentsOfFile: "/proc/\(runner.process.pid)/status", encoding: .utf8)
            let resident = try #require(Self.kilobytes("VmRSS", in: status))
            samples.append(
                Sample(
                    seconds: Double(start.duration(to: .now).components.seconds),
                    kilobytes: resident,
                    own: try #require(Self.kilobytes("RssAnon", in: status)),
                    descriptors: runner.resources.descriptors,
                    reported: try await runner.metric("process_resident_memory_bytes")
                )
            )
            if samples.count.isMultiple(of: 30) {
                soak.report(
                    "\(samples.count) samples, \(Int(resident)) KiB, \(Int(samples.last?.own ?? 0)) KiB without program text"
                )
            }
        }
        // The two ways of measuring agree.
        let last = try #require(samples.last)
        #expect(abs(last.reported / 1024 - last.kilobytes) < 8192, "\(last)")
        return samples
    }

    private static func kilobytes(_ field: String, in status: String) -> Double? {
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }
    }

    func report(_ samples: [Sample], _ memory: Slope, _ descriptors: Slope) -> String {
        func range(_ values: [Double]) -> String { "\(Int(values.min() ?? 0)) to \(Int(values.max() ?? 0))" }
        return """
            \(bots) bots, \(length), seed \(soak.seed): \(samples.count) samples, \
            resident \(range(samples.map(\.kilobytes))) KiB, without program text \(range(samples.map(\.own))) KiB, \
            growing by \(Int(memory.growth)) KiB; \
            descriptors \(range(samples.map { Double($0.descriptors) })), growing by \(Int(descriptors.growth))
            """
    }

    func write(_ report: String) throws {
        if let file { try Data((report + "\n").utf8).write(to: URL(fileURLWithPath: file)) }
    }
}

/// The straight line through samples, by least squares, of which the first quarter is left out as warm-up.
struct Slope: Sendable {
    /// What the line rises by from its first sample to its last.
    let growth: Double

    init(_ samples: [(x: Double, y: Double)]) {
        let kept = samples.dropFirst(samples.count / 4)
        guard let first = kept.first, let last = kept.last, kept.count > 1 else {
            growth = 0
            return
        }
        let count = Double(kept.count)
        let (x, y) = (kept.reduce(0) { $0 + $1.x } / count, kept.reduce(0) { $0 + $1.y } / count)
        let spread = kept.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
        let together = kept.reduce(0) { $0 + ($1.x - x) * ($1.y - y) }
        growth = spread > 0 ? together / spread * (last.x - first.x) : 0
    }
}

/// Bots of three kinds, a third each: some log ten lines a second, some crash again and again, some are changed.
private struct ChangingBots {
    private let bots: [BotEntry]
    private let platform: Platform
    private let random: Random

    private actor Random {
        var generator: SeededGenerator
        var changes: Int64 = 0

        init(_ seed: UInt64) { generator = SeededGenerator(seed: seed) }

        func next(_ count: Int) -> (index: Int, change: Int64) {
            changes += 1
            return (Int.random(in: 0..<count, using: &generator), changes)
        }
    }

    init(_ seed: UInt64, count: Int, platform: Platform) async throws {
        self.platform = platform
        random = Random(seed)
        let logging = try await platform.upload(.file("main.py", Program.counter().replacing("0.01", with: "0.1")))
        let crashing = try await platform.upload(
            .file("main.py", "import time\nprint('x')\ntime.sleep(1)\nraise SystemExit(3)\n")
        )
        let sleeping = try await platform.upload(.file("main.py", Program.sleeper))
        bots = (0..<count).map { number in
            BotEntry(
                "flat-\(number)",
                code: [logging, crashing, sleeping][number % 3],
                config: ["execution": ["restart": ["initial": "1s", "maximum": "5s"]]]
            )
        }
        for bot in bots { try await platform.put(bot) }
    }

    /// Waits until all have been started.
    func settle(on stage: Stage) async throws {
        try await slowly(within: .seconds(180), "all bots have been started") {
            Set(stage.happenings("start").compactMap { $0.attributes["runtime.id"] }).count == bots.count ? true : nil
        }
    }

    /// Changes one of those that only sleep: about one change every two seconds.
    func changeOne() async throws {
        let sleepers = bots.indices.filter { $0 % 3 == 2 }
        let (index, change) = await random.next(sleepers.count)
        let bot = bots[sleepers[index]]
        var config = bot.config
        config["n"] = .integer(change)
        try await platform.put(bot.with(config: config))
        try await Task.sleep(for: .milliseconds(600))
    }
}
