import Entrypoints
import HTTP
import Logging
import Model
public import Runtime

extension DockerRunner {
    /// Makes a bot's container, brings the code into it and starts it; its image is pulled and prepared first if need be.
    public func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        try await code.withCode(of: spec.executable.custom) { (archive) async throws(RunnerError) in
            let request = try await self.filled(try await self.ready(spec, attempt, archive), archive)
            do throws(LaunchFailure) { return try await self.launch(request, archive) } catch {
                // Not found: somebody removed the prepared image or the network. Refused: a second network of the name appeared
                // in this moment. Both are looked for again, once.
                guard error.mayBeRepeated, error.cause.code == .notFound || error.cause.code == .refused else {
                    throw self.runnerError(error.cause, spec)
                }
                self.prepared.forget(request.image)
                if let image = request.filledImage { self.codeImages.forget(image) }
            }
            let again = try await self.request(spec, attempt)
            do throws(LaunchFailure) { try await self.launch(again, archive) } catch {
                throw self.runnerError(error.cause, spec)
            }
        }
    }

    /// What a start asks of the engine, once everything it needs is there.
    func ready(_ spec: LaunchSpec, _ attempt: Int, _ archive: CodeArchive) async throws(RunnerError) -> ContainerRequest
    {
        try DockerRunner.check(archive, spec)
        return try await request(spec, attempt)
    }

    /// What to ask of the engine, after image and network were made sure of.
    private func request(_ spec: LaunchSpec, _ attempt: Int) async throws(RunnerError) -> ContainerRequest {
        let base = try await images.id(of: spec.runtime.image)
        return ContainerRequest(
            spec: spec,
            attempt: attempt,
            names: names,
            settings: settings,
            image: try await prepared.image(for: spec.runtime, base: base),
            network: try await networks.mode(for: spec.sandbox.network)
        )
    }

    /// The same with an image that has the code in it, where there is one.
    private func filled(_ request: ContainerRequest, _ archive: CodeArchive) async throws(RunnerError)
        -> ContainerRequest
    {
        var request = request
        request.filledImage = try await codeImages.image(for: request.spec, archive, prepared: request.image)
        return request
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

    private struct LaunchFailure: Error {
        let cause: DockerError
        /// Whether the same may be tried again at once, without looking at what stands there. Once its container was made, a slot
        /// isn't: whoever removed that may have run it since.
        let mayBeRepeated: Bool
    }

    /// Makes the container, sends the code and starts it; leaves nothing when one of these fails, except of a slot what may have
    /// run.
    private func launch(_ request: ContainerRequest, _ archive: CodeArchive) async throws(LaunchFailure) {
        let runsOnce = request.spec.executable.kind == .scheduled
        let name = names.container(request.spec.executable)
        let began = ContinuousClock.now
        let made: String?
        do throws(DockerError) {
            made = try await place.create(request, name: name, codeSize: archive.size)
        } catch {
            throw LaunchFailure(cause: error, mayBeRepeated: true)
        }
        guard let container = made else { return }
        do throws(DockerError) {
            if request.filledImage == nil { try await engine.sendCode(archive, to: container) }
            guard !Task.isCancelled else { throw DockerError(.cancelled, "cancelled") }
            let limit = ContainerPlace.startLimit(codeSize: archive.size)
            if runsOnce, ContinuousClock.now - began >= limit {
                throw DockerError(.timedOut, "its container wasn't ready to be started within \(limit)")
            }
        } catch {
            await engine.discardContainer(container, logger)
            throw LaunchFailure(cause: error, mayBeRepeated: !runsOnce)
        }
        do throws(DockerError) { try await run(container) } catch {
            if runsOnce {
                await engine.discardUnlessStarted(container, after: error, logger)
            } else {
                await engine.discardContainer(container, logger)
            }
            throw LaunchFailure(cause: error, mayBeRepeated: !runsOnce)
        }
    }

    /// Starts the container. Once it was asked for, a cancellation doesn't break it off: the engine may have done it already, and
    /// a bot that runs isn't to be killed for it.
    private func run(_ container: String) async throws(DockerError) {
        let path = EngineCall.path("containers", container, "start")
        let call = EngineCall(method: .post, path: path, deadlines: EngineCall.work)
        try await engine.sendShielded(call, grace: settings.startGrace).expect(204, 304)
    }
}
