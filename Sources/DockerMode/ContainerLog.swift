import HTTP
import Runtime
import Util

/// A container's log as the engine gives it.
struct ContainerLog: Sendable {
    let engine: Engine
    let container: String

    /// A reading of what is there: the engine may take its time to begin, and waits while nobody reads.
    private static let reading = HTTPDeadlines(connect: .seconds(10), idle: .seconds(60), total: nil)

    /// Begins a reading. The engine reads all its files of the log for it, whatever the second.
    /// - Parameters:
    ///   - second: only frames of this time and later are wanted; 0: all.
    ///   - follow: whether the answer goes on until the container ends. A connection that died without a word is noticed by
    ///     TCP's own probing; a unix socket doesn't do that.
    func open(since second: Int64, follow: Bool) async throws(LogFollowing.Failure) -> HTTPResponse {
        var call = EngineCall(method: .get, path: EngineCall.path("containers", container, "logs"))
        call.deadlines = follow ? EngineCall.events : ContainerLog.reading
        call.query = [("stdout", "1"), ("stderr", "1"), ("timestamps", "1")]
        if follow { call.query.append(("follow", "1")) }
        // Docker's is inclusive, Podman's isn't.
        if second > 0 { call.query.append(("since", String(second - 1))) }
        let response: HTTPResponse
        do throws(DockerError) { response = try await engine.open(call) } catch { throw .engine(error) }
        guard response.status != 200 else { return response }
        do throws(DockerError) {
            let body: [UInt8]
            do { body = try await response.body.collect(upTo: call.limit) } catch { throw DockerError(error) }
            try EngineAnswer(call: call, status: response.status, body: body).expect(200)
        } catch {
            switch response.status {
            // Conflict: it is dead, or being removed.
            case 404, 409: throw .gone
            // Its log driver can't be read.
            case 501, 400..<500: throw .unreadable(error)
            default: throw .engine(error)
            }
        }
        return response
    }

    /// Whether the container has ended, its log is complete then.
    ///
    /// Docker shows a container as ended only after its log was written; it waits 10 s for that.
    func hasEnded() async throws(LogFollowing.Failure) -> Bool {
        let details: ContainerDetails?
        do throws(DockerError) { details = try await engine.details(of: container) } catch { throw .engine(error) }
        guard let details else { throw .gone }
        switch ContainerState(details.status) {
        case .ended, .leaving: return true
        case .created, .active: return false
        }
    }

    /// Whether the engine's clock was set back since a frame was written, so that later ones may have earlier times.
    func wasSetBack(_ response: HTTPResponse, since time: Timestamp) -> Bool {
        guard let now = response.headers.first("Date").flatMap({ HTTPDate.seconds($0) }) else { return false }
        // A second less than the disorder that is reckoned with anyway; the engine's answer has whole seconds.
        return now < time.secondsSince1970 - (LogLedger.slack - 2)
    }

    /// The next piece of the engine's answer; nil after the last.
    static func next(_ pieces: inout HTTPResponseBody.AsyncIterator) async throws(LogFollowing.Failure) -> [UInt8]? {
        do { return try await pieces.next() } catch { throw .engine(DockerError(error)) }
    }

    /// What a parser makes of it.
    static func parsed<Value>(_ body: () throws(DockerError) -> Value) throws(LogFollowing.Failure) -> Value {
        do throws(DockerError) { return try body() } catch { throw .engine(error) }
    }
}
