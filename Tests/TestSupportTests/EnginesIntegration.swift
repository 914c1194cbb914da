import Foundation
import TestSupport
import Testing

@Suite struct EnginesIntegration {
    @Test func theSharedEngineTellsItsObjects() async throws {
        let engine = try await DockerEngine.shared()
        let label = "the0.test=\(UUID().uuidString)"
        try await engine.docker("network", "create", "--label", label, "the0-test-\(UUID().uuidString)")
        try await engine.docker("volume", "create", "--label", label)
        try await engine.docker("create", "--label", label, "busybox:1.36.1", "true")
        let made = try await engine.objects(label: label)
        #expect(made.containers.count == 1 && made.volumes.count == 1 && made.networks.count == 1)
        try await engine.removeObjects(label: label)
        let left = try await engine.objects(label: label)
        #expect(left.containers.isEmpty && left.volumes.isEmpty && left.networks.isEmpty)
    }

    @Test func aPrivateEngineLosesNoContainerInACrash() async throws {
        let engine = try await PrivateEngine.start()
        try await engine.engine.docker("run", "--detach", "--init", "--name", "bot", "busybox:1.36.1", "sleep", "1000")
        try await engine.hang()
        #expect(
            try await !runCommand(["curl", "-s", "-m", "1", "--unix-socket", engine.socket, "http://e/_ping"]).isSuccess
        )
        try await engine.resume()
        try await engine.crash()
        await #expect(throws: FixtureError.self) { try await engine.engine.docker("ps") }
        try await engine.start()
        let names = try await engine.engine.docker("ps", "--all", "--format", "{{.Names}}")
        #expect(names == "bot\n")
        try await engine.restart()
        #expect(try await engine.engine.docker("ps", "--quiet") == "")
        await engine.stop()
        #expect(!FileManager.default.fileExists(atPath: engine.socket))
    }

    @Test func podmanRunsAContainerOnItsOwnNetwork() async throws {
        let podman = try await PodmanService.start()
        let text = try await podman.engine.docker(
            "run",
            "--rm",
            "--init",
            "--user",
            "65532:65532",
            "--memory",
            "64m",
            "busybox:1.36.1",
            "id",
            "-u"
        )
        #expect(text == "65532\n")
        try await podman.service.restart()
        #expect(try await podman.engine.docker("images", "--quiet").isEmpty == false)
        await podman.stop()
    }
}
