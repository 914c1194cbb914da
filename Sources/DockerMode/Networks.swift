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
        if let network = try await only(mine: nil) { return network }
        var call = EngineCall(method: .post, path: "/networks/create", deadlines: EngineCall.work)
        call.setBody([
            "Name": .string(names.network),
            "CheckDuplicate": true,
            "Driver": "bridge",
            "Options": ["com.docker.network.bridge.enable_icc": "false"],
            "Labels": [Label.managed: "true", Label.instance: .string(names.instance)],
        ])
        let answer = try await engine.send(call)
        // Another runner of this instance was faster: 409, or of Podman 4.3 a 500.
        if answer.status == 409 || answer.status >= 500, let network = try await only(mine: nil) { return network }
        let mine = try answer.createdID()
        guard let network = try await only(mine: mine) else {
            throw DockerError(.failed, "the engine made the network and doesn't have it")
        }
        if network == mine {
            logger.info("made network", metadata: ["network": "\(names.network)", "id": "\(network)"])
        }
        return network
    }

    /// The one network of this name, nil when there is none.
    ///
    /// Engines before API 1.44 may make two of a name for two runners that ask at once (seen with 20.10), and then start no
    /// container on either, by id neither. Whoever made the younger one removes it, the others wait until it is gone.
    private func only(mine: String?) async throws(DockerError) -> String? {
        var pause = Duration.milliseconds(20)
        while true {
            let networks = try await find()
            guard let first = networks.first, networks.count > 1 else { return networks.first }
            // After two seconds nobody does: its runner ended in between.
            let surplus = networks.dropFirst().filter { $0 == mine || pause > .seconds(1) }
            for network in surplus {
                let call = EngineCall(
                    method: .delete,
                    path: EngineCall.path("networks", network),
                    deadlines: EngineCall.work
                )
                try await engine.send(call).expect(204, 404)
            }
            if surplus.count == networks.count - 1 { return first }
            do { try await Task.sleep(for: pause) } catch { throw DockerError(.cancelled, "cancelled", cause: error) }
            pause *= 2
        }
    }

    /// The ids of the networks of this name, the oldest first.
    private func find() async throws(DockerError) -> [String] {
        var call = EngineCall(method: .get, path: "/networks")
        // The engine takes the name for a part of one.
        call.filter([("name", [names.network])])
        let networks = try await engine.send(call).array().compactMap { network -> (created: String, id: String)? in
            guard let network = network.object, network["Name"]?.string == names.network, let id = network["Id"]?.string
            else { return nil }
            return (network["Created"]?.string ?? "", id)
        }
        return networks.sorted { ($0.created, $0.id) < ($1.created, $1.id) }.map(\.id)
    }
}
