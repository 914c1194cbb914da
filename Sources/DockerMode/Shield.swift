import Util

extension Engine {
    /// Sends a request whose answer is waited for although the current task is cancelled, up to `grace` after that.
    func sendShielded(_ call: EngineCall, grace: Duration) async throws(DockerError) -> EngineAnswer {
        let result = await shielded(grace: grace) { () async -> Result<EngineAnswer, DockerError> in
            do throws(DockerError) { return .success(try await self.send(call)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
