import HTTP
import Logging
import Model
import Synchronization

/// The engine's HTTP API: one request, one answer, the version agreed upon on the way.
final class Engine: Sendable {
    let connection: DockerConnection
    private let client: HTTPClient
    private let logger: Logger
    private let agreed = Mutex<Agreement?>(nil)

    private struct Agreement {
        let version: APIVersion
        /// What the engine called its newest version then: another one means another engine.
        let engineNewest: String
        let isPodman: Bool
    }

    init(connection: DockerConnection, client: HTTPClient, logger: Logger) {
        self.connection = connection
        self.client = client
        self.logger = logger
    }

    /// Sends a request and reads the whole answer.
    /// - Throws: ``DockerError`` when there is no whole answer. Any status is an answer.
    func send(_ call: EngineCall) async throws(DockerError) -> EngineAnswer {
        let response = try await open(call)
        do {
            let body = try await response.body.collect(upTo: call.limit)
            return EngineAnswer(call: call, status: response.status, body: body)
        } catch {
            throw DockerError(error)
        }
    }

    /// Sends a request and returns with the answer's head.
    func open(_ call: EngineCall) async throws(DockerError) -> HTTPResponse {
        let agreement = try await agreement()
        let response = try await open(call, prefix: "/v\(agreement.version)")
        guard let newest = response.headers.first("Api-Version"), newest != agreement.engineNewest else {
            return response
        }
        // The engine was replaced by another version.
        agreed.withLock { $0 = nil }
        guard response.status == 400, call.isRepeatable else { return response }
        return try await open(call, prefix: "/v\(try await self.agreement().version)")
    }

    /// Asks whether the engine is there, without a version.
    func ping() async throws(DockerError) {
        let call = EngineCall(method: .get, path: "/_ping", deadlines: EngineCall.ping)
        let response = try await open(call, prefix: "")
        do { _ = try await response.body.collect(upTo: 1 << 16) } catch { throw DockerError(error) }
        guard response.status == 200 else {
            throw DockerError(.failed, "the engine at \(connection) answers GET /_ping with status \(response.status)")
        }
    }

    /// The version that is spoken with the engine.
    func version() async throws(DockerError) -> APIVersion {
        try await agreement().version
    }

    /// Whether the engine is Podman, which answers some requests wrongly.
    func isPodman() async throws(DockerError) -> Bool {
        try await agreement().isPodman
    }

    private static func hasPodman(_ components: JSONValue) -> Bool {
        guard case .array(let components) = components else { return false }
        return components.contains { $0.object?["Name"]?.string == "Podman Engine" }
    }

    private func agreement() async throws(DockerError) -> Agreement {
        if let known = agreed.withLock({ $0 }) { return known }
        let call = EngineCall(method: .get, path: "/version", deadlines: EngineCall.ping)
        let response = try await open(call, prefix: "")
        let body: [UInt8]
        do { body = try await response.body.collect(upTo: call.limit) } catch { throw DockerError(error) }
        let answer = EngineAnswer(call: call, status: response.status, body: body)
        let version = try answer.object()
        guard let text = version["ApiVersion"]?.string, let newest = APIVersion(text) else {
            throw answer.nonsense("no ApiVersion")
        }
        let oldest = version["MinAPIVersion"]?.string.flatMap { APIVersion($0) }
        let agreement = Agreement(
            version: try APIVersion.agreed(engineNewest: newest, oldest: oldest),
            engineNewest: response.headers.first("Api-Version") ?? text,
            isPodman: version["Components"].map(Engine.hasPodman) ?? false
        )
        agreed.withLock { $0 = agreement }
        logger.info(
            "Docker engine answers",
            metadata: [
                "at": "\(connection)", "api": "\(agreement.version)",
                "engine": "\((version["Version"]?.string ?? "?").escapedForMessage)",
            ]
        )
        return agreement
    }

    private func open(_ call: EngineCall, prefix: String) async throws(DockerError) -> HTTPResponse {
        let request = HTTPRequest(
            method: call.method,
            url: connection.base + prefix + call.target,
            unixSocket: connection.unixSocket,
            headers: (call.contentType.map { [HTTPHeader(name: "Content-Type", value: $0)] } ?? []) + call.headers,
            body: call.body,
            tls: connection.tls,
            deadlines: call.deadlines
        )
        do { return try await client.execute(request) } catch { throw DockerError(error) }
    }
}

extension EngineCall {
    /// Whether the body can be sent again.
    fileprivate var isRepeatable: Bool {
        switch body {
        case .none, .bytes: true
        case .stream: false
        }
    }
}
