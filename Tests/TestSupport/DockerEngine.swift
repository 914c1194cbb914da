public import Foundation

/// The Docker engine that tests share: the one of DOCKER_HOST, or this machine's.
///
/// Tests look at it and change it with the `docker` client, a second opinion beside the client that is tested.
public struct DockerEngine: Sendable {
    /// Its address, in DOCKER_HOST's form.
    public let address: String

    /// The engine at an address.
    public init(address: String) {
        self.address = address
    }

    /// The shared engine.
    /// - Throws: `FixtureError` when it does not answer.
    public static func shared() async throws -> DockerEngine {
        let address = ProcessInfo.processInfo.environment["DOCKER_HOST"] ?? "unix:///var/run/docker.sock"
        let engine = DockerEngine(address: address)
        guard try await runCommand(engine.command(["version"])).isSuccess else {
            throw FixtureError("no engine answers on \(address): run scripts/engine ensure")
        }
        return engine
    }

    /// Runs the `docker` client on this engine; it must succeed.
    /// - Returns: what it printed.
    @discardableResult
    public func docker(_ arguments: String..., input: Data = Data()) async throws -> String {
        try await requireCommand(command(arguments), input: input, within: .seconds(120))
    }

    /// What the engine has of ours, for a comparison of before and after.
    /// - Parameter label: `name` or `name=value`; only what carries it is counted.
    public func objects(label: String) async throws -> Objects {
        let filter = "label=\(label)"
        return Objects(
            containers: lines(try await docker("ps", "--all", "--no-trunc", "--quiet", "--filter", filter)),
            volumes: lines(try await docker("volume", "ls", "--quiet", "--filter", filter)),
            networks: lines(try await docker("network", "ls", "--no-trunc", "--quiet", "--filter", filter))
        )
    }

    /// Ids of an engine's objects.
    public struct Objects: Sendable, Equatable {
        /// Containers, whatever their state.
        public let containers: Set<String>
        /// Volumes.
        public let volumes: Set<String>
        /// Networks.
        public let networks: Set<String>
    }

    /// Removes every container, volume and network with a label; what is gone meanwhile is no error.
    public func removeObjects(label: String) async throws {
        let left = try await objects(label: label)
        for id in left.containers { _ = try await runCommand(command(["rm", "--force", "--volumes", id])) }
        for id in left.volumes { _ = try await runCommand(command(["volume", "rm", "--force", id])) }
        for id in left.networks { _ = try await runCommand(command(["network", "rm", id])) }
    }

    private func command(_ arguments: [String]) -> [String] {
        ["docker", "--host", address] + arguments
    }

    private func lines(_ text: String) -> Set<String> {
        Set(text.split(separator: "\n").map(String.init))
    }
}
