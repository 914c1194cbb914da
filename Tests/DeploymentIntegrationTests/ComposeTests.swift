import Foundation
import TestSupport
import Testing

/// deploy/docker/compose.yaml, as Debian's docker-compose reads it.
@Suite struct ComposeTests {
    private static let file = "\(ServicePrograms.root)/deploy/docker/compose.yaml"
    private static let variables: [String: String?] = [
        "MINIO_SECRET_KEY": "secret-of-the-store", "DOCKER_GROUP": "999", "MINIO_ACCESS_KEY": nil, "RUNTIME_TAG": nil,
    ]

    private func config(_ changes: [String: String?] = [:]) async throws -> CommandResult {
        try await runCommand(
            ["docker-compose", "--file", Self.file, "config"],
            environment: Self.variables.merging(changes) { $1 }
        )
    }

    /// The resolved file, as JSON.
    private func services() async throws -> [String: [String: Any]] {
        let result = try await config()
        #expect(result.isSuccess && result.errors.isEmpty, "\(result.errorText)")
        let json = try await requireCommand(
            ["/usr/bin/python3", "-c", "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"],
            input: result.output
        )
        let value = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        return try #require(value?["services"] as? [String: [String: Any]])
    }

    @Test func everyServiceIsWatchedAndStartedAgain() async throws {
        let services = try await services()
        #expect(Set(services.keys) == ["bot-runner", "bot-scheduler", "mongodb", "nats", "minio", "buckets"])
        for (name, service) in services where name != "buckets" {
            #expect(service["healthcheck"] != nil, "\(name)")
            #expect(service["restart"] as? String == "unless-stopped", "\(name)")
        }
        #expect(services["buckets"]?["restart"] as? String == "no")
    }

    @Test func onlyOurServicesReachTheEngineAndOnlyThisMachineReachesThem() async throws {
        for (name, service) in try await services() {
            let volumes = service["volumes"] as? [String] ?? []
            let isOurs = ["bot-runner", "bot-scheduler"].contains(name)
            #expect(volumes.contains { $0.contains("docker.sock") } == isOurs, "\(name)")
            for port in service["ports"] as? [String] ?? [] { #expect(port.hasPrefix("127.0.0.1:"), "\(name) \(port)") }
            #expect(service["privileged"] == nil && service["network_mode"] == nil)
            if isOurs { #expect(service["read_only"] as? Bool == true && service["cap_drop"] as? [String] == ["ALL"]) }
        }
    }

    @Test(arguments: ["MINIO_SECRET_KEY", "DOCKER_GROUP"]) func whatHasNoDefaultIsAskedFor(_ name: String) async throws
    {
        let unset: [String: String?] = [name: nil]
        let result = try await config(unset)
        #expect(!result.isSuccess && result.errorText.contains(name), "\(result.errorText)")
    }
}
