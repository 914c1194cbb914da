/// Podman's Docker-compatible API, with storage, network and processes of its own (`scripts/podman`). Needs root.
public final class PodmanService: Sendable {
    /// Its process, to kill, hang and restart.
    public let service: LocalService
    /// The path of its socket.
    public let socket: String
    /// DOCKER_HOST's value for it, and the `docker` client.
    public let engine: DockerEngine

    /// DOCKER_HOST's value for it.
    public var address: String { engine.address }

    private init(service: LocalService, socket: String) {
        self.service = service
        self.socket = socket
        engine = DockerEngine(address: "unix://\(socket)")
    }

    /// Starts one with `busybox:1.36.1`, and `python:3.11-slim` when it is asked for.
    /// - Throws: `FixtureError` when it is not installed or does not start.
    public static func start(withPython: Bool = false) async throws -> PodmanService {
        let folder = try TemporaryFolder()
        let socket = folder.file("podman.sock")
        let command = [ServicePrograms.script("podman"), folder.path, "busybox"] + (withPython ? ["python"] : [])
        let service = try await LocalService("podman", folder: folder, command: command) {
            await answersHTTP(.unixSocket(socket), path: "/_ping")
        }
        return PodmanService(service: service, socket: socket)
    }

    /// Ends it with all its containers and removes its data.
    public func stop() async {
        await service.stop()
    }
}
