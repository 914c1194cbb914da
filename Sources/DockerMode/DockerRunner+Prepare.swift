import Model
public import Runtime

extension DockerRunner: RunPreparing {
    /// Brings the code here and checks that it holds the entrypoint; pulls and prepares the image and makes the network where
    /// the engine doesn't have them. No container of a bot is made or touched.
    public func prepare(_ spec: LaunchSpec) async throws(RunnerError) {
        try await code.withCode(of: spec.executable.custom) { (archive) async throws(RunnerError) in
            _ = try await self.ready(spec, 0, archive)
        }
    }
}
