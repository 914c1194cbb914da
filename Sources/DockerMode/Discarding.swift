import HTTP
import Logging
import Util

extension Engine {
    /// Removes a container that was made by what has just failed or been cancelled, with its anonymous volumes.
    ///
    /// It is done although the current task may be cancelled; the caller waits for it.
    func discardContainer(_ id: String, _ logger: Logger) async {
        let failure = await shielded(grace: .seconds(20)) { () async -> DockerError? in
            do throws(DockerError) {
                try await self.deleteContainer(id, force: true)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return }
        logger.warning(
            "container of a failed start can't be removed",
            metadata: ["container": "\(id)", "error": "\(failure)"]
        )
    }

    /// Removes the container of a slot whose start has failed, unless it may have run, or may still be started.
    ///
    /// Where the engine gave no answer nobody knows, and what is removed could be run once more.
    func discardUnlessStarted(_ id: String, after error: DockerError, _ logger: Logger) async {
        switch error.code {
        case .notFound, .conflict, .refused, .failed: break
        case .unreachable, .timedOut, .badAnswer, .cancelled, .setting:
            logger.warning(
                "it isn't known whether a container was started, it is left as it is",
                metadata: ["container": "\(id)", "error": "\(error)"]
            )
            return
        }
        let failure = await shielded(grace: .seconds(20)) { () async -> DockerError? in
            do throws(DockerError) {
                guard let details = try await self.details(of: id), details.startedAt == nil, !details.isRunning else {
                    return nil
                }
                try await self.deleteContainer(id, force: false)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return }
        logger.warning(
            "container of a failed start can't be removed",
            metadata: ["container": "\(id)", "error": "\(failure)"]
        )
    }

    /// Removes a container with its anonymous volumes; one that is gone is a success.
    func deleteContainer(_ id: String, force: Bool) async throws(DockerError) {
        var call = EngineCall(method: .delete, path: EngineCall.path("containers", id), deadlines: EngineCall.work)
        call.query = [("v", "1")]
        if force { call.query.append(("force", "1")) }
        try await send(call).expect(204, 200, 404)
    }
}
