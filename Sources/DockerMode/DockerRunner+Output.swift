import HTTP
public import Runtime

extension DockerRunner: RunOutputReading {
    /// The last lines that a container wrote, in the order they were written.
    public func lastLines(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [OutputLine] {
        guard limit > 0 else { return [] }
        do throws(DockerError) { return try await lastLines(run.reference, limit) } catch {
            throw error.runnerError(.unavailable, "reading the output of container \(run.reference)")
        }
    }

    private func lastLines(_ container: String, _ limit: Int) async throws(DockerError) -> [OutputLine] {
        var call = EngineCall(method: .get, path: EngineCall.path("containers", container, "logs"))
        // The engine counts parts of overlong lines as lines: what it gives may be fewer, and the first without its beginning.
        // Podman 4.3 puts parts together in the wrong order when it is asked for the last ones only.
        let tail = try await engine.isPodman() ? "all" : String(limit)
        call.query = [("stdout", "1"), ("stderr", "1"), ("timestamps", "1"), ("tail", tail)]
        let response = try await engine.open(call)
        guard response.status == 200 else {
            let body: [UInt8]
            do { body = try await response.body.collect(upTo: call.limit) } catch { throw DockerError(error) }
            try EngineAnswer(call: call, status: response.status, body: body).expect(200)
            return []
        }
        var frames = LogFrames(limit: limit)
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: [UInt8]?
            do { piece = try await pieces.next() } catch { throw DockerError(error) }
            guard let piece else { return frames.finish() }
            try frames.add(piece)
        }
    }
}
