import TestSupport
import Util

/// All bots from the program's start to running, against the same containers started straight through the API.
enum ColdStart {
    /// Where the engine is at its best differs by machine.
    static let concurrencies = [2, 4, 6, 8, 12]

    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let recording = try await bench.recorded()
        let count = bench.scale.bots
        let store = try await BotDirectory(
            bench.folder,
            name: "store-cold",
            program: BotProgram.sleeper,
            bots: BotDirectory.ids(count)
        )
        return try await EngineEvents.watching(bench.api) { events in
            let raw = RawStarts(api: bench.api, recording: recording, events: events)
            var sweep: [(concurrency: Int, last: Double)] = []
            for concurrency in concurrencies {
                let floor = try await raw.all(count, concurrency: concurrency)
                say("cold: floor with \(concurrency) at a time: \(time(floor.last))")
                sweep.append((concurrency, floor.last))
            }
            let best = sweep.min { $0.last < $1.last }?.concurrency ?? concurrencies[0]
            var measured = Measured()
            for round in 1...bench.scale.rounds {
                try await measured.parts(raw)
                let floor = try await raw.all(count, concurrency: best)
                let ours = try await program(bench, store, events, count)
                say(
                    "cold: round \(round) of \(bench.scale.rounds): floor \(time(floor.last)), "
                        + "program \(time(ours.last)), its first \(time(ours.first))"
                )
                measured.add(floor: floor.last, ours)
            }
            return measured.report(sweep, best: best, count: count)
        }
    }

    struct Starts {
        let create: Double
        let first: Double
        let last: Double
    }

    /// From the program's spawn to the engine's `start` events; everything is removed afterwards but the network.
    static func program(
        _ bench: BenchEnvironment,
        _ store: BotDirectory,
        _ events: EngineEvents,
        _ count: Int
    ) async throws -> Starts {
        // The instance of the recorded bot: its network is there, and the floor's containers are on it too.
        let instance = bench.instance("floor")
        let process = try RuntimeProcess(
            ["bot-runner", "--store", store.path],
            environment: bench.settings(instance),
            log: bench.folder.file("cold.log")
        )
        let mark = (name: "runtime.instance", value: instance)
        let started: [EngineEvent]
        let created: [EngineEvent]
        do {
            started = try await events.wait(for: count, "start", since: process.spawnedAt, label: mark)
            created = try await events.wait(for: count, "create", since: process.spawnedAt, label: mark)
        } catch {
            await process.stop()
            throw FixtureError("\(error)\n\(process.output.suffix(2000))")
        }
        await process.stop()
        let bots = Set(started.map { $0.labels["runtime.id"] ?? "" })
        guard started.count == count, bots.count == count else {
            throw FixtureError("\(started.count) starts of \(bots.count) bots; expected \(count) of each")
        }
        try await bench.api.removeAll(label: "runtime.instance=\(instance)", keepingNetworks: true)
        func since(_ event: EngineEvent?) -> Double { event?.time.seconds(since: process.spawnedAt) ?? .nan }
        return Starts(create: since(created.first), first: since(started.first), last: since(started.last))
    }

    /// The samples of all rounds.
    struct Measured {
        var one = Samples()
        var create = Samples()
        var upload = Samples()
        var start = Samples()
        var floor = Samples()
        var last = Samples()
        var first = Samples()
        var firstCreate = Samples()
        var ratio = Samples()

        mutating func parts(_ raw: RawStarts) async throws {
            for _ in 0..<3 {
                one.add(try await raw.one())
                let parts = try await raw.parts()
                create.add(parts.create)
                upload.add(parts.upload)
                start.add(parts.start)
            }
        }

        mutating func add(floor: Double, _ ours: Starts) {
            self.floor.add(floor)
            last.add(ours.last)
            first.add(ours.first)
            firstCreate.add(ours.create)
            ratio.add(ours.last / floor)
        }

        func report(_ sweep: [(concurrency: Int, last: Double)], best: Int, count: Int) -> Report {
            let lastRatio = last.median / floor.median
            let firstRatio = first.median / one.median
            let levels = sweep.map { "\($0.concurrency): \(time($0.last))" }.joined(separator: ", ")
            return Report(
                figures: [
                    Figure(
                        "\(count) bots from cold: the last one runs, against the floor",
                        "\(times(lastRatio)) (\(time(last.median)) / \(time(floor.median)))",
                        spread: "by round \(ratio.range(times)); floor \(floor.range(time))",
                        target: "≤ 1.05 × floor (the Go runtime: 1.11 ×)",
                        isReached: lastRatio <= 1.05
                    ),
                    Figure(
                        "the first one runs, against one raw create and start",
                        "\(times(firstRatio)) (\(time(first.median)) / \(time(one.median)))",
                        spread: "first \(first.range(time)); raw \(one.quartiles(time))",
                        target: "≤ 2 × (the Go runtime: 7.8 ×)",
                        isReached: firstRatio <= 2
                    ),
                ],
                notes: [
                    "The floor is the engine at its best concurrency, \(best) at a time; one sweep took \(levels).",
                    "Of the program's time to the first container, \(time(firstCreate.median)) go by until the engine has "
                        + "created it (the program's own start, its first reading of store and engine, the state volume).",
                    "The floor's containers have their code in the image, as the program's have from the second bot of a "
                        + "code on. Sending it instead, `PUT …/archive`, takes \(time(upload.median)) "
                        + "(\(upload.range(time))) beside \(time(create.median)) for creating and "
                        + "\(time(start.median)) for starting.",
                    "Image prepared, code cached, network there; the state volumes are made by both.",
                ]
            )
        }
    }
}
