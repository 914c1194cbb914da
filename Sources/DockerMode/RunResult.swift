import HTTP
import Model
import Runtime

/// Takes the result of an ended run out of its container.
struct RunResult: Sendable {
    /// Why there is none to be had.
    enum Failure: Error, Sendable {
        case gone
        case notEnded
        /// What the run left isn't to be taken.
        case refused(String)
        case engine(DockerError)
    }

    /// Where a bot, or what runs it, writes its result.
    static let path = "/bot/result.json"

    let engine: Engine

    /// The file's bytes; nil when there is none.
    func read(_ container: String, limit: Int) async throws(Failure) -> [UInt8]? {
        // One that runs may be in the middle of writing.
        try await requireEnd(of: container)
        if let bytes = try await file(container, limit) { return bytes }
        // The engine says the same of a file that isn't there and of a container that isn't, or whose volume has just gone.
        try await requireEnd(of: container)
        return nil
    }

    private func requireEnd(of container: String) async throws(Failure) {
        let details: ContainerDetails?
        do throws(DockerError) { details = try await engine.details(of: container) } catch { throw .engine(error) }
        guard let details else { throw .gone }
        switch ContainerState(details.status) {
        case .ended: return
        case .leaving: throw .gone
        case .active, .created: throw .notEnded
        }
    }

    /// The file, out of the tar that the engine makes of it; nil when the engine finds nothing.
    ///
    /// Docker doesn't follow a link at the path's end. Podman 4.3 does, as far as it stays in the volume; others it doesn't find.
    /// `/bot` is a volume, which no bot can replace.
    private func file(_ container: String, _ limit: Int) async throws(Failure) -> [UInt8]? {
        var call = EngineCall(method: .get, path: EngineCall.path("containers", container, "archive"))
        call.query = [("path", RunResult.path)]
        call.deadlines = EngineCall.work
        let response: HTTPResponse
        do throws(DockerError) { response = try await engine.open(call) } catch { throw .engine(error) }
        guard response.status == 200 else {
            let body: [UInt8]
            do { body = try await response.body.collect(upTo: call.limit) } catch { throw .engine(DockerError(error)) }
            if response.status == 404 { return nil }
            do throws(DockerError) {
                try EngineAnswer(call: call, status: response.status, body: body).expect(200)
            } catch {
                throw .engine(error)
            }
            return nil
        }
        var pieces = response.body.makeAsyncIterator()
        var tar = TarFileReader(name: "result.json", limit: limit)
        while true {
            let piece: [UInt8]?
            do { piece = try await pieces.next() } catch { throw .engine(DockerError(error)) }
            do throws(TarFileReader.Failure) {
                guard let piece else { return try tar.finish() }
                try tar.add(piece)
            } catch {
                switch error {
                case .refused(let reason): throw .refused(reason)
                case .broken(let reason):
                    throw .engine(
                        DockerError(.badAnswer, "engine, GET \(call.path): the tar makes no sense: \(reason)")
                    )
                }
            }
        }
    }
}
