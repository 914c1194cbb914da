import Model
import TestSupport

/// Changes of bots, half of them written to the database, half told by events: each bot by one way, so that it is known
/// which of two changes is the later one.
actor BotChanges {
    private var random: SeededGenerator
    private let platform: Platform
    private var bots: [String: BotEntry] = [:]
    private var sleeper = ""
    private var crasher = ""
    private var count: Int64 = 0

    /// The ids of all bots there may be.
    nonisolated let ids: [String]

    /// - Parameter name: what the bots' ids begin with; one that no other test has, for logs outlive bots.
    init(_ name: String, seed: UInt64, platform: Platform) {
        random = SeededGenerator(seed: ~seed)
        self.platform = platform
        ids = (0..<6).map { "\(name)-\($0)" }
    }

    /// What should run now.
    var desired: [BotEntry] {
        bots.values.filter { $0.config["enabled"] != false }.sorted { $0.id < $1.id }
    }

    func begin() async throws {
        sleeper = try await platform.upload(.file("main.py", Program.counter()))
        crasher = try await platform.upload(.file("main.py", Program.counter(lines: 20, exiting: 3)))
        for number in 0..<6 { try await change(number) }
    }

    /// Changes bots at random.
    /// - Parameter failing: services that don't work now, by which nothing is told and nothing stored.
    func make(_ changes: Int, without failing: Set<FailingPart> = []) async throws {
        for _ in 0..<changes {
            let number = Int.random(in: 0..<6, using: &random)
            guard !failing.contains(number.isMultiple(of: 2) ? .mongo : .nats) else { continue }
            if !failing.contains(.objects), Int.random(in: 0..<3, using: &random) == 0 {
                sleeper = try await platform.upload(.file("main.py", "# \(count)\n" + Program.counter()))
            }
            try await change(number)
        }
    }

    /// Removes all bots.
    func end() async throws {
        for number in 0..<6 where bots[ids[number]] != nil {
            let old = bots.removeValue(forKey: ids[number])
            try await tell(number, old)
        }
    }

    private func change(_ number: Int) async throws {
        let id = ids[number]
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
        try await tell(number, old)
    }

    /// Writes to the database, or tells by an event, what has become of a bot.
    private func tell(_ number: Int, _ old: BotEntry?) async throws {
        let id = ids[number]
        if number.isMultiple(of: 2) {
            if let bot = bots[id] { try await platform.put(bot) } else { try await platform.delete(id) }
        } else if let bot = bots[id] {
            try await platform.publish(old == nil ? "created" : "updated", bot)
        } else if let old {
            try await platform.publish("deleted", old)
        }
    }
}
