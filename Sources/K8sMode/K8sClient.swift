import HTTP
public import Logging
import Model
import Util

/// The Kubernetes API: one request, one answer, with the credential that holds now.
public final class K8sClient: Sendable {
    /// Where it asks.
    public let connection: ClusterConnection
    let http: HTTPClient
    let logger: Logger
    private let credentials: Credentials
    /// How long to wait for a server that has too much to do, where it doesn't say so itself.
    private let backoff: Backoff
    /// A server may ask for more than anybody wants to wait within one call.
    static let longestWait: Duration = .seconds(30)
    private static let mostAttempts = 5

    /// A client of a cluster.
    /// - Parameters:
    ///   - connection: where to ask, and as whom.
    ///   - maxConnections: how many requests may be under way at once; watches and followed logs don't count.
    ///   - logger: told of waits and of renewed credentials.
    public convenience init(_ connection: ClusterConnection, maxConnections: Int = 32, logger: Logger) {
        self.init(
            connection,
            credentials: Credentials(connection),
            maxConnections: maxConnections,
            backoff: .apiServer,
            logger: logger
        )
    }

    init(
        _ connection: ClusterConnection,
        credentials: Credentials,
        maxConnections: Int = 32,
        backoff: Backoff,
        logger: Logger
    ) {
        self.connection = connection
        self.credentials = credentials
        self.backoff = backoff
        self.logger = logger
        http = HTTPClient(maxConnections: maxConnections)
    }

    /// Sends a request and reads the whole answer, which has to be a success.
    func send(_ call: K8sCall) async throws(K8sError) -> JSONValue {
        let response = try await open(call)
        let body: [UInt8]
        do { body = try await response.body.collect(upTo: call.limit) } catch { throw K8sError(error) }
        do { return try JSONValue.parse(body) } catch {
            throw K8sError(.badAnswer, "API server, \(call.name): the answer is \(error)")
        }
    }

    /// Sends a request and returns with the head of its answer, which has to be a success.
    ///
    /// A 401 has the credential renewed once. A server with too much to do (429, or 503 with `Retry-After`) didn't act, so the
    /// request is repeated when the server wants it, a few times.
    func open(_ call: K8sCall) async throws(K8sError) -> HTTPResponse {
        var attempt = 1
        var isRenewed = false
        while true {
            let identity = try await credentials.current()
            let response: HTTPResponse
            do { response = try await http.execute(request(call, identity)) } catch { throw K8sError(error) }
            guard !(200..<300).contains(response.status) else { return response }
            let error = try await refusal(call, response)
            if error.code == .unauthorized, !isRenewed, await credentials.refused(identity) {
                isRenewed = true
                logger.debug("API server refused the credential, reading it anew", metadata: ["call": "\(call.name)"])
                continue
            }
            guard error.asksToWait, attempt < Self.mostAttempts else { throw error }
            let wait = max(error.retryAfter ?? .zero, backoff.delay(attempt: attempt, seed: call.target))
            guard wait <= Self.longestWait else { throw error }
            logger.debug(
                "API server has too much to do, waiting",
                metadata: ["call": "\(call.name)", "for": "\(wait)"]
            )
            do { try await Task.sleep(for: wait) } catch { throw K8sError(.cancelled, "\(call.name): cancelled") }
            attempt += 1
        }
    }

    private func request(_ call: K8sCall, _ identity: Credentials.Identity) -> HTTPRequest {
        var headers = [HTTPHeader(name: "Accept", value: call.accept)]
        if let value = identity.authorization { headers.append(HTTPHeader(name: "Authorization", value: value)) }
        if call.body != nil { headers.append(HTTPHeader(name: "Content-Type", value: call.contentType)) }
        return HTTPRequest(
            method: call.method,
            url: connection.server + call.target,
            headers: headers,
            body: call.body.map { .bytes(Array($0.text.utf8)) } ?? .none,
            tls: connection.server.hasPrefix("http://") ? nil : identity.tls,
            deadlines: call.deadlines
        )
    }

    /// What the server says of a request that it didn't do.
    private func refusal(_ call: K8sCall, _ response: HTTPResponse) async throws(K8sError) -> K8sError {
        let body: [UInt8]
        do { body = try await response.body.collect(upTo: 1 << 20) } catch { throw K8sError(error) }
        let said = (try? JSONValue.parse(body)).flatMap { K8sStatus($0, code: response.status) }
        let status = said ?? K8sStatus(code: response.status, message: "")
        let seconds = response.headers.first("Retry-After").flatMap { Int($0) } ?? status.retryAfterSeconds
        return K8sError(call, status, retryAfter: seconds.flatMap { $0 > 0 ? .seconds($0) : nil })
    }
}

extension K8sError {
    /// What a server's refusal of a call means.
    init(_ call: K8sCall, _ status: K8sStatus, retryAfter: Duration? = nil) {
        let code = status.errorCode
        var message = "API server, \(call.name): status \(status.code)"
        if !status.reason.isEmpty { message += " \(status.reason)" }
        if !status.message.isEmpty { message += ", \(status.message)" }
        let news = status.causes.filter { !status.message.contains($0) }
        if !news.isEmpty { message += " (\(news.joined(separator: "; ")))" }
        // Who lacks the right to create is told without a name; with one it is an admission rule that refuses, as a quota.
        if code == .forbidden, let right = call.right, right.verb != "create" || status.name.isEmpty {
            message += "; missing right: \(right.description)"
        }
        self.init(code, message, status: status, retryAfter: retryAfter)
    }

    /// Whether the server didn't act, and wants to be asked again later.
    var asksToWait: Bool {
        code == .throttled || (status?.code == 503 && retryAfter != nil)
    }
}

extension Backoff {
    /// For an API server: as client-go, from 0.8 s up to half a minute.
    static var apiServer: Backoff {
        (try? Backoff(initial: .milliseconds(800), maximum: .seconds(30), jitter: 0.5)) ?? .standard
    }
}
