import Entrypoints
import HTTP
import Logging
import Model
public import Runtime

extension DockerRunner {
    public func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        let network = try await networks.mode(for: spec.sandbox.network)
        let base = try await images.id(of: spec.runtime.image)
        let image = try await prepared.image(for: spec.runtime, base: base)
        try await code.withCode(of: spec.executable.custom) { (archive) async throws(RunnerError) in
            try DockerRunner.check(archive, spec)
            var request = ContainerRequest(
                spec: spec,
                attempt: attempt,
                names: self.names,
                settings: self.settings,
                image: image,
                network: network
            )
            do throws(DockerError) {
                try await self.launch(request, archive)
            } catch {
                guard error.code == .notFound else { throw self.runnerError(error, spec) }
                // Somebody removed the prepared image.
                self.prepared.forget(image)
                request.image = try await self.prepared.image(for: spec.runtime, base: base)
                do throws(DockerError) { try await self.launch(request, archive) } catch {
                    throw self.runnerError(error, spec)
                }
            }
        }
    }

    /// A program whose entrypoint isn't in its code can't start, however often it is tried.
    private static func check(_ archive: CodeArchive, _ spec: LaunchSpec) throws(RunnerError) {
        var file = Substring(spec.entrypoint)
        if spec.runtime.entrypoint == .jvm { file = file.prefix { $0 != ":" } }
        while file.hasPrefix("./") { file = file.dropFirst(2) }
        guard !archive.files.contains(String(file)) else { return }
        throw RunnerError(
            .codeInvalid,
            "bot \(spec.id.text.escapedForMessage): entrypoint \(spec.entrypoint.escapedForMessage) is not among the "
                + "\(archive.files.count) files of its code"
        )
    }

    private func runnerError(_ error: DockerError, _ spec: LaunchSpec) -> RunnerError {
        let code: RunnerError.Code =
            switch error.code {
            case .conflict: .conflict
            case .refused: .refused
            default: .failedToStart
            }
        return error.runnerError(code, "starting container \(names.container(spec.executable))")
    }

    /// Makes the container, sends the code and starts it; leaves nothing when one of these fails.
    private func launch(_ request: ContainerRequest, _ archive: CodeArchive) async throws(DockerError) {
        let name = names.container(request.spec.executable)
        guard let container = try await place.create(request, name: name) else { return }
        do throws(DockerError) {
            try await send(archive, to: container)
            try await run(container)
        } catch {
            await engine.discardContainer(container, logger)
            throw error
        }
    }

    private func send(_ archive: CodeArchive, to container: String) async throws(DockerError) {
        var call = EngineCall(method: .put, path: EngineCall.path("containers", container, "archive"))
        call.query = [("path", "/bot")]
        call.body = .stream(length: archive.size, FilePieces(path: archive.path))
        call.contentType = "application/x-tar"
        // A large archive over a slow line takes what it takes; silence doesn't.
        call.deadlines = HTTPDeadlines(connect: .seconds(10), idle: .seconds(120), total: nil)
        try await engine.send(call).expect(200)
    }

    private func run(_ container: String) async throws(DockerError) {
        let path = EngineCall.path("containers", container, "start")
        try await engine.send(EngineCall(method: .post, path: path, deadlines: EngineCall.work)).expect(204, 304)
    }
}
