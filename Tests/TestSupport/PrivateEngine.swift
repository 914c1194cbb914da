import Foundation

/// A Docker engine that a test may crash, hang and restart: its data, network and processes are its own
/// (`scripts/engine`). Needs root. Its containers can't reach this machine's loopback, nor this process their ports.
public final class PrivateEngine: Sendable {
    /// Its address and `docker` client.
    public let engine: DockerEngine
    /// The path of its socket.
    public let socket: String

    private let folder: TemporaryFolder
    private let namespaces: ChildProcess

    /// DOCKER_HOST's value for it.
    public var address: String { engine.address }

    private init(folder: TemporaryFolder, namespaces: ChildProcess) {
        self.folder = folder
        self.namespaces = namespaces
        socket = folder.file("docker.sock")
        engine = DockerEngine(address: "unix://\(socket)")
    }

    /// Starts one; about a second, and another one for each image.
    /// - Parameter images: names that `scripts/images --list` knows.
    /// - Throws: `FixtureError` when it does not start.
    public static func start(images: [String] = ["busybox"]) async throws -> PrivateEngine {
        let folder = try TemporaryFolder()
        let namespaces = try ChildProcess(
            [ServicePrograms.script("engine"), "hold", "--private", folder.path],
            output: folder.file("namespaces.log")
        )
        let ready = folder.file("namespaces-ready")
        try await eventually(within: .seconds(20), "namespaces of a private engine") {
            FileManager.default.fileExists(atPath: ready)
        }
        let engine = PrivateEngine(folder: folder, namespaces: namespaces)
        try await engine.start()
        if !images.isEmpty {
            try await requireCommand(
                [ServicePrograms.script("images")] + images,
                environment: ["DOCKER_HOST": engine.address],
                within: .seconds(600)
            )
        }
        return engine
    }

    /// Starts its dockerd again after `crash()`.
    public func start() async throws {
        try await action("start")
    }

    /// SIGKILL for dockerd; its containers run on.
    public func crash() async throws {
        try await action("crash")
    }

    /// Ends dockerd as a service manager does, with its containers, and starts it again.
    public func restart() async throws {
        try await action("end")
        try await action("start")
    }

    /// SIGSTOP for dockerd: its socket accepts, and nothing answers.
    public func hang() async throws {
        try await action("hang")
    }

    /// SIGCONT after `hang()`.
    public func resume() async throws {
        try await action("resume")
    }

    /// Ends it with all its containers and removes its data.
    public func stop() async {
        // With its first process everything in the namespaces is killed; nothing of it can refuse.
        namespaces.killGroup()
        while namespaces.termination == nil { await Task { [namespaces] in _ = await namespaces.ended() }.value }
        folder.remove()
    }

    private func action(_ name: String) async throws {
        try await requireCommand(
            [ServicePrograms.script("engine"), name, "--private", folder.path],
            within: .seconds(120)
        )
    }
}
