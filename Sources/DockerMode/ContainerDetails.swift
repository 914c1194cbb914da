import HTTP
import Model
import Runtime
import Util

/// A container as `GET /containers/{id}/json` shows it, as far as it is of use here.
struct ContainerDetails: Sendable {
    let id: String
    let status: String
    let isRunning: Bool
    let exitCode: Int
    let outOfMemory: Bool
    let error: String
    /// nil: never.
    let startedAt: Timestamp?
    let finishedAt: Timestamp?
    let createdAt: Timestamp
    let labels: [String: String]
    let image: String
    /// `NAME=value`.
    let environment: [String]
    let removesItself: Bool

    init(_ answer: EngineAnswer) throws(DockerError) {
        let container = try answer.object()
        guard let id = container["Id"]?.string, let state = container["State"]?.object,
            let config = container["Config"]?.object, case .bool(let isRunning) = state["Running"],
            case .integer(let exitCode) = state["ExitCode"]
        else { throw answer.nonsense("a container without Id, Config or State") }
        func time(_ field: String, _ object: JSONObject) throws(DockerError) -> Timestamp? {
            guard let text = object[field]?.string, !text.isEmpty else { return nil }
            do { return try RFC3339.parseEngineTime(text) } catch {
                throw answer.nonsense("\(field): \(error.message)")
            }
        }
        self.id = id
        self.isRunning = isRunning
        self.exitCode = Int(exitCode)
        status = state["Status"]?.string ?? (isRunning ? "running" : "exited")
        outOfMemory = state["OOMKilled"] == .bool(true)
        error = state["Error"]?.string ?? ""
        startedAt = try time("StartedAt", state)
        finishedAt = try time("FinishedAt", state)
        guard let createdAt = try time("Created", container) else { throw answer.nonsense("no time of creation") }
        self.createdAt = createdAt
        var labels: [String: String] = [:]
        for (name, value) in config["Labels"]?.object?.members ?? [] { labels[name] = value.string }
        self.labels = labels
        image = config["Image"]?.string ?? ""
        environment =
            config["Env"].flatMap { value in
                guard case .array(let entries) = value else { return nil }
                return entries.compactMap(\.string)
            } ?? []
        removesItself = container["HostConfig"]?.object?["AutoRemove"] == .bool(true)
    }

    /// The value of an environment variable; of several the last counts, as in the container.
    func variable(_ name: String) -> String? {
        environment.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// How the run ended.
    var exit: Exit {
        let started = startedAt ?? createdAt
        return Exit(
            code: exitCode,
            outOfMemory: outOfMemory,
            startedAt: started,
            finishedAt: finishedAt ?? started,
            platformError: error.onOneLine
        )
    }
}

extension Engine {
    /// A container's details, or nil when it is gone.
    func details(of container: String) async throws(DockerError) -> ContainerDetails? {
        let answer = try await send(EngineCall(method: .get, path: EngineCall.path("containers", container, "json")))
        if answer.status == 404 { return nil }
        return try ContainerDetails(answer)
    }
}
