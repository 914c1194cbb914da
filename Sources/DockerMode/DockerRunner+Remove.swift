import HTTP
import Logging
public import Runtime

extension DockerRunner {
    /// Ends a container with SIGTERM, after the grace with SIGKILL, and removes it; the bot's state stays.
    public func remove(_ run: ObservedRun) async throws(RunnerError) {
        do throws(DockerError) {
            try await removal.remove(run)
        } catch {
            throw error.runnerError(.notStopped, "removing container \(run.reference)")
        }
    }
}

extension ObservedRun.Phase {
    fileprivate var mayRun: Bool {
        switch self {
        case .created, .exited: false
        case .running, .leaving: true
        }
    }
}

/// Ends containers and removes them, until the engine says that they are gone.
struct Removal: Sendable {
    let engine: Engine
    let settings: DockerSettings
    let finalReading: FinalReading
    let logger: Logger

    /// How long a removal that the engine has under way is waited for.
    private static let patience: Duration = .seconds(60)

    func remove(_ run: ObservedRun) async throws(DockerError) {
        let container = run.reference
        var stops = 0
        if run.phase.mayRun {
            try await stop(container)
            stops = 1
        }
        if run.phase != .created { await finalReading.read(run) }
        let deadline = ContinuousClock.now + Removal.patience
        var pause = Duration.milliseconds(20)
        while true {
            // By force only what could not be ended otherwise.
            let answer = try await delete(container, force: stops > 1)
            if answer.status == 404 { return }
            guard answer.status == 409 else { return try answer.expect(204, 200) }
            // It runs although it was seen ended, or its removal is under way, as of one that removes itself.
            guard let standing = try await engine.details(of: container) else { return }
            if standing.isRunning, stops < 2 {
                try await stop(container)
                stops += 1
                await finalReading.read(run)
                continue
            }
            guard ContinuousClock.now < deadline else { return try answer.expect(204) }
            try await sleep(pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    /// Ends a container and leaves it there.
    func end(_ run: ObservedRun) async throws(DockerError) {
        let container = run.reference
        try await stop(container)
        let deadline = ContinuousClock.now + Removal.patience
        var pause = Duration.milliseconds(20)
        while true {
            guard let standing = try await engine.details(of: container) else { return }
            switch ContainerState(standing.status) {
            case .ended: return
            case .created: throw DockerError(.conflict, "it was made and never started: there is nothing to end")
            case .active, .leaving: break
            }
            guard ContinuousClock.now < deadline else {
                throw DockerError(
                    .failed,
                    "the engine says it has stopped it and that it is \(standing.status.onOneLine)"
                )
            }
            try await sleep(pause)
            pause = min(pause * 2, .seconds(1))
        }
    }

    /// SIGTERM, the grace, SIGKILL: the engine does all three. When it fails at that, a last SIGKILL of our own.
    private func stop(_ container: String) async throws(DockerError) {
        let seconds = settings.stopGraceSeconds
        var call = EngineCall(method: .post, path: EngineCall.path("containers", container, "stop"))
        call.query = [("t", String(seconds))]
        // Outer deadlines are longer than inner ones, and a request without an idle deadline takes no other's place.
        call.deadlines = HTTPDeadlines(connect: .seconds(10), idle: nil, total: .seconds(seconds + 30))
        do throws(DockerError) {
            try await engine.send(call).expect(204, 304, 404)
        } catch {
            if error.code == .cancelled { throw error }
            logger.warning(
                "container can't be stopped, killing it",
                metadata: ["container": "\(container)", "error": "\(error)"]
            )
            let kill = EngineCall(
                method: .post,
                path: EngineCall.path("containers", container, "kill"),
                query: [("signal", "KILL")],
                deadlines: EngineCall.work
            )
            // 409: it doesn't run any more.
            try await engine.send(kill).expect(204, 404, 409)
        }
    }

    private func delete(_ container: String, force: Bool) async throws(DockerError) -> EngineAnswer {
        var call = EngineCall(
            method: .delete,
            path: EngineCall.path("containers", container),
            deadlines: EngineCall.work
        )
        call.query = [("v", "1")]
        if force { call.query.append(("force", "1")) }
        return try await engine.send(call)
    }

    private func sleep(_ pause: Duration) async throws(DockerError) {
        do { try await Task.sleep(for: pause) } catch { throw DockerError(.cancelled, "cancelled", cause: error) }
    }
}
