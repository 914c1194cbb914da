import Foundation
import Model
import TestSupport
import Util

/// Programs that start many containers too, on an engine of their own.
struct Peer: Sendable {
    let name: String
    /// Makes all containers run.
    let start: @Sendable () async throws -> Void
    /// Removes them.
    let stop: @Sendable () async throws -> Void

    /// `docker service create --replicas N`, with the host's network, since an overlay network costs Swarm more.
    static func swarm(_ recording: Recording, _ engine: DockerEngine, count: Int) -> Peer {
        let config = recording.details["Config"]?.object ?? [:]
        let command = (config["Entrypoint"]?.elements ?? []).compactMap(\.string)
        let variables = (config["Env"]?.elements ?? []).compactMap(\.string).flatMap { ["--env", $0] }
        let fixed = [
            "docker", "--host", engine.address, "service", "create", "--quiet", "--detach", "--no-resolve-image",
            "--name", "bench", "--replicas", "\(count)", "--network", "host", "--restart-condition", "none",
            "--container-label", "\(BenchEnvironment.label)=swarm", "--user", config["User"]?.string ?? "0",
            "--workdir", "/bot", "--entrypoint", command.joined(separator: " "),
        ]
        return Peer(name: "docker service create --replicas \(count)") {
            try await requireCommand(fixed + variables + [recording.imageID])
        } stop: {
            try await engine.docker("service", "rm", "bench")
        }
    }

    /// `docker-compose up -d` of so many services.
    static func compose(_ recording: Recording, _ engine: DockerEngine, count: Int, file: String) throws -> Peer {
        let config = recording.details["Config"]?.object ?? [:]
        var services: JSONObject = [:]
        for number in 1...count {
            services["bot\(padded(number, 4))"] = [
                "image": .string(recording.image), "entrypoint": config["Entrypoint"] ?? [],
                "environment": config["Env"] ?? [], "user": config["User"] ?? "0", "working_dir": "/bot",
                "labels": [BenchEnvironment.label: "compose"],
            ]
        }
        // JSON is YAML. A dollar sign would name a variable.
        let text = JSONValue(["version": "3", "services": .object(services)]).text.replacing("$", with: "$$")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let compose = ["docker-compose", "--host", engine.address, "-f", file, "-p", "bench"]
        return Peer(name: "docker-compose up of \(count) services") {
            // Its default of 64 at a time.
            try await requireCommand(compose + ["up", "-d"], within: .seconds(300))
        } stop: {
            try await requireCommand(compose + ["down", "--timeout", "0"], within: .seconds(300))
        }
    }
}
