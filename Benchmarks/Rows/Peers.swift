import TestSupport
import Util

/// Against what people would take instead, on an engine of its own, so that nobody else's joins a swarm.
enum Peers {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        say("peers: starting a private engine")
        let engine = try await PrivateEngine.start(images: ["python"])
        do {
            let report = try await measure(bench, engine)
            await engine.stop()
            return report
        } catch {
            await engine.stop()
            throw error
        }
    }

    private static func measure(_ bench: BenchEnvironment, _ engine: PrivateEngine) async throws -> Report {
        let count = bench.scale.bots
        let api = EngineAPI(socket: engine.socket)
        let recording = try await Recording.make(bench, api: api, engine: engine.address)
        let store = try await BotDirectory(
            bench.folder,
            name: "store-peers",
            program: BotProgram.sleeper,
            bots: BotDirectory.ids(count)
        )
        let ours = Ours(bench: bench, engine: engine, api: api, store: store, count: count)
        return try await EngineEvents.watching(api) { events in
            var figures: [Figure] = []
            var samples: [String: Samples] = [:]
            func sample(_ name: String, _ seconds: Double) {
                samples[name, default: Samples()].add(seconds)
                say("peers: \(name): \(time(seconds))")
            }
            let file = bench.folder.file("compose.yml")
            let compose = try Peer.compose(recording, engine.engine, count: count, file: file)
            let swarm = Peer.swarm(recording, engine.engine, count: count)
            var swarmTrouble: String?
            for _ in 0..<bench.scale.rounds {
                sample("bridge", try await ours.start(network: "isolated", events))
                sample("compose", try await seconds(of: compose, label: "compose", count, events))
                guard swarmTrouble == nil else { continue }
                sample("host", try await ours.start(network: "host", events))
                do {
                    try await join(engine.engine)
                    sample("swarm", try await seconds(of: swarm, label: "swarm", count, events))
                } catch {
                    try Task.checkCancellation()
                    swarmTrouble = "\(error)"
                }
                _ = try? await engine.engine.docker("swarm", "leave", "--force")
                try await api.removeAll(label: "\(BenchEnvironment.label)=swarm")
            }
            figures.append(figure("against \(compose.name), bridge network", samples["bridge"], samples["compose"]))
            if let swarmTrouble {
                figures.append(.failed("against \(swarm.name)", swarmTrouble))
            } else {
                figures.append(figure("against \(swarm.name), host network", samples["host"], samples["swarm"]))
            }
            return Report(figures: figures, notes: notes)
        }
    }

    private static let notes = [
        "A private engine (`scripts/engine start --private`); image, command, user and environment are the same for all, and the "
            + "peers' image has the code in it, as the program's has from the second bot of a code on. Only the program's "
            + "containers have limits, a read-only root, an init process and volumes for code and state: the peers are asked "
            + "for less.",
        "From the start of each command, the program's included, to the engine's `start` event of the last container. Swarm is "
            + "measured on the host's network, where it has least to do.",
    ]

    private static func figure(_ work: String, _ ours: Samples?, _ theirs: Samples?) -> Figure {
        let (ours, theirs) = (ours ?? Samples(), theirs ?? Samples())
        let factor = theirs.median / ours.median
        return Figure(
            work,
            "\(times(factor)) as fast (\(time(ours.median)) / \(time(theirs.median)))",
            spread: "program \(ours.range(time)); peer \(theirs.range(time))",
            target: "faster",
            isReached: factor > 1
        )
    }

    private static func join(_ engine: DockerEngine) async throws {
        try await engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1")
        try await eventually(within: .seconds(30), "the swarm's only node is ready") {
            try await engine.docker("node", "ls", "--format", "{{.Status}}").contains("Ready")
        }
    }

    private static func seconds(of peer: Peer, label: String, _ count: Int, _ events: EngineEvents) async throws
        -> Double
    {
        let begin = Timestamp.now
        async let command: Void = peer.start()
        let mark = (name: BenchEnvironment.label, value: label)
        let started = try await events.wait(for: count, "start", since: begin, label: mark, within: .seconds(300))
        try await command
        try await peer.stop()
        _ = try await events.wait(for: count, "destroy", since: begin, label: mark, within: .seconds(300))
        return started.last?.time.seconds(since: begin) ?? .nan
    }

    /// The program on the private engine.
    private struct Ours: Sendable {
        let bench: BenchEnvironment
        let engine: PrivateEngine
        let api: EngineAPI
        let store: BotDirectory
        let count: Int

        func start(network: String, _ events: EngineEvents) async throws -> Double {
            let instance = bench.instance("peers")
            let process = try RuntimeProcess(
                ["bot-runner", "--store", store.path, "--network", network],
                environment: bench.settings(instance, engine: engine.address),
                log: bench.folder.file("peers.log")
            )
            let started: [EngineEvent]
            do {
                let mark = (name: "runtime.instance", value: instance)
                started = try await events.wait(for: count, "start", since: process.spawnedAt, label: mark)
            } catch {
                await process.stop()
                throw FixtureError("\(error)\n\(process.output.suffix(2000))")
            }
            await process.stop()
            try await api.removeAll(label: "runtime.instance=\(instance)")
            return started.last?.time.seconds(since: process.spawnedAt) ?? .nan
        }
    }
}
