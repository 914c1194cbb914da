import HTTP
import Logging
import Model
import Runtime

/// The network that an instance's bots are on, or the one the operator chose.
struct Networks: Sendable {
    let engine: Engine
    let names: ObjectNames
    let flights: SingleFlight<String, String>
    let logger: Logger

    /// What `NetworkMode` is to be.
    func mode(for network: Sandbox.Network) async throws(RunnerError) -> String {
        switch network {
        case .host: return "host"
        case .named(let name): return name
        case .isolated:
            return try await flights.run(names.network) { () async throws(RunnerError) in
                do throws(DockerError) { return try await isolated() } catch {
                    throw error.runnerError(.unavailable, "network \(names.network)")
                }
            }
        }
    }

    /// The id of the instance's network, made if need be.
    private func isolated() async throws(DockerError) -> String {
        if let id = try await find() { return id }
        var call = EngineCall(method: .post, path: "/networks/create", deadlines: EngineCall.work)
        call.setBody([
            "Name": .string(names.network),
            "CheckDuplicate": true,
            "Driver": "bridge",
            "Options": ["com.docker.network.bridge.enable_icc": "false"],
            "Labels": [Label.managed: "true", Label.instance: .string(names.instance)],
        ])
        let answer = try await engine.send(call)
        // Another runner of this instance was faster.
        if answer.status != 409 {
            let id = try answer.createdID()
            logger.info("made network", metadata: ["network": "\(names.network)", "id": "\(id)"])
        }
        guard let id = try await find() else {
            throw DockerError(.failed, "the engine made the network and doesn't have it")
        }
        return id
    }

    /// The network of this name. Older engines may make two of a name when two runners ask at once: everyone takes the first.
    private func find() async throws(DockerError) -> String? {
        var call = EngineCall(method: .get, path: "/networks")
        // The engine takes the name for a part of one.
        call.filter([("name", [names.network])])
        let answer = try await engine.send(call)
        let ids = try answer.array().compactMap { network -> String? in
            guard let network = network.object, network["Name"]?.string == names.network else { return nil }
            return network["Id"]?.string
        }
        return ids.min()
    }
}
