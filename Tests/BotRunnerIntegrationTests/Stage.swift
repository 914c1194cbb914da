import Foundation
import Model
import Synchronization
import TestSupport
import Testing

/// One test's surroundings: an instance of its own on the engine, a folder, runners, and all that happened in the engine.
final class Stage: Sendable {
    let engine: DockerEngine
    let instance: String
    let folder: TemporaryFolder
    let events: EngineEvents

    private let settings: [String: String]
    private let runners = Mutex<[RunnerProcess]>([])
    private static let next = Atomic(0)

    /// Runs a test with an instance of its own; afterwards ends its runners, removes what the instance has in the
    /// engine, and checks that nothing else remains of it.
    /// - Parameters:
    ///   - engine: the engine; by default the one that is shared.
    ///   - instance: the instance's name; one that nobody else has by default.
    ///   - losesVolumes: whether the engine is killed, which then loses track of volumes it was making for a container.
    ///   - environment: what every runner gets.
    static func with(
        engine: DockerEngine? = nil,
        instance: String? = nil,
        losesVolumes: Bool = false,
        environment: [String: String] = [:],
        _ body: (Stage) async throws -> Void
    ) async throws {
        let engine = if let engine { engine } else { try await DockerEngine.shared() }
        let stage = try Stage(engine: engine, instance: instance, environment: environment)
        do {
            try await body(stage)
        } catch {
            let logs = stage.runners.withLock { $0 }.map { "\n--- a runner's log\n\($0.output.suffix(4000))" }.joined()
            try? await stage.finish(losesVolumes: losesVolumes)
            throw FixtureError("\(error)\(logs)")
        }
        try await stage.finish(losesVolumes: losesVolumes)
    }

    /// Runs a test with the platform's services, and no bot in them.
    /// - Parameter killedEngine: an engine that the test kills; by default it has the one that is shared.
    static func withPlatform(
        killedEngine: DockerEngine? = nil,
        _ body: (Stage, Platform) async throws -> Void
    ) async throws {
        let platform = try await Platform.cleared()
        try await with(engine: killedEngine, losesVolumes: killedEngine != nil, environment: platform.environment) {
            try await body($0, platform)
        }
    }

    private init(engine: DockerEngine, instance: String?, environment: [String: String]) throws {
        self.engine = engine
        folder = try TemporaryFolder()
        let number = Self.next.wrappingAdd(1, ordering: .relaxed).newValue
        self.instance = instance ?? "e2e-\(getpid())-\(number)-\(UInt16.random(in: 0...UInt16.max))"
        settings = [
            "DOCKER_HOST": engine.address, "RUNTIME_INSTANCE": self.instance, "TEMP_DIR": folder.file("cache"),
            "LOG_FORMAT": "json", "LOG_LEVEL": "debug", "LISTEN": "127.0.0.1:0", "STOP_GRACE": "3s",
        ].merging(environment) { _, given in given }
        events = try EngineEvents(engine, file: folder.file("events.jsonl"))
    }

    // MARK: Runners

    /// Starts `runtime bot-runner`.
    func runner(_ flags: String..., environment: [String: String] = [:]) throws -> RunnerProcess {
        try runner(flags, environment: environment)
    }

    /// Starts `runtime bot-runner`.
    /// - Parameter starter: what starts it in its own place.
    func runner(
        _ flags: [String],
        under starter: [String] = [],
        environment: [String: String] = [:]
    ) throws -> RunnerProcess {
        try service("bot-runner", flags, under: starter, environment: environment)
    }

    /// Starts `runtime bot-scheduler`.
    func scheduler(_ flags: String..., environment: [String: String] = [:]) throws -> RunnerProcess {
        try service("bot-scheduler", flags, environment: environment)
    }

    private func service(
        _ command: String,
        _ flags: [String],
        under starter: [String] = [],
        environment: [String: String]
    ) throws -> RunnerProcess {
        let number = runners.withLock { $0.count }
        let runner = try RunnerProcess(
            [command] + flags,
            under: starter,
            environment: settings.merging(environment) { _, given in given },
            folder: folder.path,
            log: folder.file("runner-\(number).log")
        )
        runners.withLock { $0.append(runner) }
        return runner
    }

    /// Runs another command of the program to its end.
    func command(_ arguments: String..., environment: [String: String] = [:]) async throws -> CommandResult {
        let own = settings.merging(["LOG_LEVEL": "error"]) { _, new in new }.merging(environment) { _, new in new }
        return try await runCommand(
            [RunnerProcess.program] + arguments,
            environment: RunnerProcess.clearedVariables.merging(own) { _, new in new },
            folder: folder.path
        )
    }

    /// What `runtime runs --output json` says, the newest run first.
    func runs(_ flags: String..., environment: [String: String] = [:]) async throws -> [RunEntry] {
        let own = settings.merging(["LOG_LEVEL": "error"]) { _, new in new }.merging(environment) { _, new in new }
        let text = try await requireCommand(
            [RunnerProcess.program, "runs", "--limit", "1000", "--output", "json"] + flags,
            environment: RunnerProcess.clearedVariables.merging(own) { _, new in new },
            folder: folder.path
        )
        return try RunEntry.all(in: text)
    }

    /// What `runtime plan --output json` says of each bot.
    func plan(_ flags: String..., environment: [String: String] = [:]) async throws -> [String: JSONObject] {
        let text = try await requireCommand(
            [RunnerProcess.program, "plan", "--output", "json"] + flags,
            environment: RunnerProcess.clearedVariables.merging(settings.merging(environment) { _, new in new }) {
                _,
                new in new
            },
            folder: folder.path
        )
        let bots =
            try JSONValue.parse(text.trimmingCharacters(in: .whitespacesAndNewlines)).object?["bots"]?.array ?? []
        return bots.compactMap(\.object).reduce(into: [:]) { $0[$1["id"]?.string ?? ""] = $1 }
    }

    /// What `runtime logs` shows of a bot, on standard output and standard error together.
    func logs(_ bot: String, _ flags: String...) async throws -> String {
        let command = "exec \"$0\" logs \"$@\" 2>&1"
        return try await requireCommand(
            ["/bin/sh", "-c", command, RunnerProcess.program, bot] + flags,
            environment: RunnerProcess.clearedVariables.merging(settings) { _, new in new }.merging([
                "LOG_LEVEL": "error"
            ]) { _, new in new },
            folder: folder.path
        )
    }

    // MARK: The engine

    /// The instance's containers of bots, whatever their state.
    func containers(of bot: String? = nil) async throws -> [Container] {
        let ids = try await engine.objects(label: "runtime.instance=\(instance)").containers
        guard !ids.isEmpty else { return [] }
        // One may be gone by now: the client shows the others and fails.
        let shown = try await runCommand(["docker", "--host", engine.address, "inspect"] + ids.sorted())
        let found = try JSONValue.parse(shown.text).array ?? []
        return found.compactMap(\.object).map(Container.init).filter { bot == nil || $0.bot == bot }
    }

    /// Waits until exactly one container of a bot exists and is as asked.
    @discardableResult
    func container(
        of bot: String,
        within limit: Duration = .seconds(60),
        where condition: (Container) -> Bool = \.isRunning
    ) async throws -> Container {
        try await slowly(within: limit, "the container of \(bot)") {
            let found = try await containers(of: bot)
            guard found.count == 1, let container = found.first else { return nil }
            return condition(container) ? container : nil
        }
    }

    /// Waits until a bot has no container.
    func absence(of bot: String, within limit: Duration = .seconds(60)) async throws {
        try await slowly(within: limit, "\(bot) is gone") { try await containers(of: bot).isEmpty ? true : nil }
    }

    /// What a container has printed to standard output.
    func output(of container: Container) async throws -> String {
        try await requireCommand(["docker", "--host", engine.address, "logs", container.id])
    }

    /// Waits until a container has printed a whole line that begins with a text.
    func line(of container: Container, startingWith start: String = "", within limit: Duration = .seconds(60))
        async throws -> String
    {
        try await slowly(within: limit, "a line '\(start)…'") {
            let text = try await output(of: container)
            let whole = text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex)
            return whole.split(separator: "\n").map(String.init).first { $0.hasPrefix(start) }
        }
    }

    /// What happened to containers of the instance, in order.
    func happenings(_ action: String, of bot: String? = nil) -> [EngineEvent] {
        events.all().filter { event in
            event.type == "container" && event.action == action && event.attributes["runtime.instance"] == instance
                && (bot == nil || event.attributes["runtime.id"] == bot)
        }
    }

    // MARK: The end

    private func finish(losesVolumes: Bool) async throws {
        for runner in runners.withLock({ $0 }) { await runner.kill() }
        let label = "runtime.instance=\(instance)"
        try await engine.removeObjects(label: label)
        let left = try await engine.objects(label: label)
        #expect(left.containers.isEmpty && left.volumes.isEmpty && left.networks.isEmpty, "\(left)")
        let volumes = Set(try await engine.docker("volume", "ls", "--quiet").split(separator: "\n").map(String.init))
        let used = await usedVolumes()
        #expect(
            losesVolumes || used.isDisjoint(with: volumes),
            "volumes without a label are left: \(used.intersection(volumes))"
        )
        await events.stop()
        folder.remove()
    }

    /// Every volume that a container of the instance ever had, those without a label too.
    private func usedVolumes() async -> Set<String> {
        let ours = Set(happenings("create").map(\.subject))
        return Set(
            events.all().filter { $0.type == "volume" && ours.contains($0.attributes["container"] ?? "") }.map(
                \.subject
            )
        )
    }
}
