import Foundation
import HTTP
import Model
import Synchronization
import TestSupport

/// What all rows share: the engine, a folder, and names by which everything that a run makes is known.
final class BenchEnvironment: Sendable {
    let scale: Scale
    let engine: DockerEngine
    let api: EngineAPI
    let folder: TemporaryFolder
    /// Marks what this run makes by itself: the value of the label `the0.bench`, and the beginning of instances' names.
    let run = "bench-\(getpid())"

    private let instances = Mutex<Set<String>>([])
    private let recording = Mutex<Task<Recording, any Error>?>(nil)

    static let label = "the0.bench"

    init(_ scale: Scale) async throws {
        self.scale = scale
        engine = try await DockerEngine.shared()
        let prefix = "unix://"
        guard engine.address.hasPrefix(prefix) else {
            throw FixtureError("DOCKER_HOST=\(engine.address): benchmarks need an engine on a unix socket")
        }
        guard access(RuntimeProcess.program, X_OK) == 0 else {
            throw FixtureError("there is no \(RuntimeProcess.program): run scripts/bench, which builds it")
        }
        api = EngineAPI(socket: String(engine.address.dropFirst(prefix.count)))
        folder = try TemporaryFolder()
        try await sweep()
    }

    /// An instance's name that nobody else has; what it leaves in the shared engine is removed at the end.
    func instance(_ row: String) -> String {
        let name = "\(run)-\(row)"
        instances.withLock { _ = $0.insert(name) }
        return name
    }

    /// The settings of a program of an instance.
    func settings(_ instance: String, engine address: String? = nil) -> [String: String] {
        [
            "DOCKER_HOST": address ?? engine.address, "RUNTIME_INSTANCE": instance,
            "TEMP_DIR": folder.file("cache"), "LOG_FORMAT": "json", "LISTEN": "127.0.0.1:0", "STOP_GRACE": "3s",
        ]
    }

    /// The container that the program makes for a bot, recorded once.
    func recorded() async throws -> Recording {
        let task = recording.withLock { recording in
            if let begun = recording { return begun }
            let new = Task { try await Recording.make(self, api: api, engine: engine.address) }
            recording = new
            return new
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Removes all that this run made in the shared engine, whether the task was cancelled or not.
    func cleanUp() async {
        let names = instances.withLock { $0 }
        await Task { [api, run, folder] in
            do {
                // A request that was cancelled under way may have its effect after the first look.
                try await eventually(within: .seconds(30), "all that this run made is removed") {
                    try await Self.remove(api, run: run, instances: names)
                    try await Task.sleep(for: .milliseconds(200))
                    return try await api.containers(label: "\(Self.label)=\(run)").isEmpty
                }
            } catch {
                say("\(error)")
            }
            folder.remove()
        }.value
    }

    /// The floor's containers first: they are on an instance's network.
    private static func remove(_ api: EngineAPI, run: String, instances: Set<String>) async throws {
        try await removeOwn(api, run: run)
        for name in instances { try await api.removeAll(label: "runtime.instance=\(name)") }
    }

    private static func removeOwn(_ api: EngineAPI, run: String) async throws {
        try await api.removeAll(label: "\(label)=\(run)")
        let filters = [("filters", EngineAPI.filter("\(label)=\(run)"))]
        for image in try await api.send(.get, "/images/json", query: filters).expect(200).json.elements {
            guard let id = image.object?["Id"]?.string else { continue }
            try await api.send(.delete, "/images/\(id)", query: [("force", "1")]).expect(200, 404)
        }
    }

    /// Removes what earlier runs left that were killed.
    private func sweep() async throws {
        func values(_ objects: [JSONObject], _ label: String) -> Set<String> {
            Set(objects.compactMap { $0["Labels"]?.object?[label]?.string }.filter(Self.isDead))
        }
        let managed = "runtime.managed=true"
        let networks = try await api.send(.get, "/networks", query: [("filters", EngineAPI.filter(managed))]).expect(
            200
        )
        let instances = values(try await api.containers(label: managed), "runtime.instance")
            .union(values(try networks.json.elements.compactMap(\.object), "runtime.instance"))
        let images = try await api.send(.get, "/images/json", query: [("filters", EngineAPI.filter(Self.label))])
        let runs = values(try await api.containers(label: Self.label), Self.label)
            .union(values(try images.expect(200).json.elements.compactMap(\.object), Self.label))
        for name in runs.union(instances).sorted() {
            say("removing what \(name) left")
            try await Self.removeOwn(api, run: name)
        }
        for name in instances { try await api.removeAll(label: "runtime.instance=\(name)") }
    }

    /// Whether a name is that of a run whose process is gone.
    private static func isDead(_ name: String) -> Bool {
        let parts = name.split(separator: "-")
        guard parts.count >= 2, parts[0] == "bench", let pid = pid_t(parts[1]) else { return false }
        return kill(pid, 0) == -1 && errno == ESRCH
    }
}
