public import Runtime

extension DockerRunner: CompletionRunner {
    /// The engine's id and this runner's instance, as `docker/ID/INSTANCE`.
    ///
    /// It costs a request or two and is asked anew each time, so that another engine behind the same socket is noticed. The id is
    /// Docker's own, which lasts as long as the engine's data; Podman has none that lasts and is marked with a volume.
    public func platform() async throws(RunnerError) -> String {
        do throws(DockerError) {
            return "docker/\(try await EngineIdentity(engine: engine, names: names).id())/\(names.instance)"
        } catch {
            throw error.runnerError(.unavailable, "asking the engine at \(engine.connection) who it is")
        }
    }

    /// Ends a container with SIGTERM, after the grace with SIGKILL, and leaves it.
    public func stop(_ run: ObservedRun) async throws(RunnerError) {
        do throws(DockerError) { try await removal.end(run) } catch {
            throw error.runnerError(.notStopped, "stopping container \(run.reference)")
        }
    }

    /// The result that an ended run left in its container.
    public func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? {
        let doing = "taking \(RunResult.path) out of container \(run.reference)"
        do throws(RunResult.Failure) {
            return try await RunResult(engine: engine).read(run.reference, limit: limit)
        } catch {
            switch error {
            case .gone: throw RunnerError(.gone, "\(doing): the container isn't there any more")
            case .notEnded: throw RunnerError(.conflict, "\(doing): the run hasn't ended")
            case .refused(let reason): throw RunnerError(.refused, "\(doing): it \(reason)")
            case .engine(let error): throw error.runnerError(.unavailable, doing)
            }
        }
    }
}
