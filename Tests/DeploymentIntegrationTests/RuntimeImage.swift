import Foundation
import TestSupport

/// The image of deploy/docker/Dockerfile, but for its build stage: the program is the one that was built beside the tests. The
/// root file system is made by the same script, and the final stage is the Dockerfile's own.
struct RuntimeImage: Sendable {
    /// Its name.
    let name: String
    private let build: String
    private let engine: DockerEngine

    static let program: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("runtime").path
    }()

    /// Makes the image, runs the body, and removes the image.
    static func with(_ body: (RuntimeImage, DockerEngine) async throws -> Void) async throws {
        let engine = try await DockerEngine.shared()
        let image = try await make(engine)
        do { try await body(image, engine) } catch {
            try? await image.remove()
            throw error
        }
        try await image.remove()
    }

    private static func make(_ engine: DockerEngine) async throws -> RuntimeImage {
        let folder = try TemporaryFolder()
        let number = UInt32.random(in: 0 ... .max)
        let image = RuntimeImage(
            name: "the0-test/runtime:\(number)",
            build: "the0-test/build:\(number)",
            engine: engine
        )
        try await requireCommand(
            ["\(ServicePrograms.root)/deploy/docker/root-filesystem", program, folder.file("image")],
            within: .seconds(120)
        )
        try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: false)
        let script =
            "tar -C \"$1\" --numeric-owner --owner=0 --group=0 -c image empty | "
            + "docker --host \"$2\" import --change 'LABEL the0.test=image' - \"$3\""
        try await requireCommand(
            ["sh", "-ec", script, "sh", folder.path, engine.address, image.build],
            within: .seconds(300)
        )
        let file = try String(contentsOfFile: "\(ServicePrograms.root)/deploy/docker/Dockerfile", encoding: .utf8)
        guard let final = file.range(of: "FROM scratch AS runtime\n") else {
            throw FixtureError("deploy/docker/Dockerfile has no stage \"FROM scratch AS runtime\"")
        }
        try await requireCommand(
            [
                "docker", "--host", engine.address, "build", "--quiet", "--network", "none", "--label",
                "the0.test=image",
                "--tag", image.name, "-",
            ],
            environment: ["DOCKER_BUILDKIT": "0"],
            input: Data("FROM \(image.build) AS build\n\(file[final.lowerBound...])".utf8),
            within: .seconds(300)
        )
        return image
    }

    /// Runs it as strictly as a Pod's containers are; what it says goes with its exit code.
    func run(_ arguments: [String], options: [String] = []) async throws -> CommandResult {
        try await runCommand(
            [
                "docker", "--host", engine.address, "run", "--rm", "--label", "the0.test=image", "--read-only",
                "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp",
            ] + options + [name] + arguments,
            within: .seconds(120)
        )
    }

    private func remove() async throws {
        try await engine.docker("image", "rm", "--force", name, build)
    }
}
