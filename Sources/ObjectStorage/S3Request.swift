import Crypto
import HTTP
import Logging
import Util

/// One request to a bucket.
struct S3Request: Sendable {
    var method: HTTPMethod
    /// nil: the bucket itself.
    var key: String?
    var query: [S3Query]
    var contentType: String?
    /// Further header fields, by lower-case name; all are signed.
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]
    var deadlines: HTTPDeadlines?

    init(
        _ method: HTTPMethod,
        key: String? = nil,
        query: [S3Query] = [],
        contentType: String? = nil,
        body: [UInt8] = []
    ) {
        self.method = method
        self.key = key
        self.query = query
        self.contentType = contentType
        self.body = body
    }

    func path(in bucket: String) -> String {
        "/\(bucket)" + (key.map { "/" + PercentEncoding.encode($0, keeping: [UInt8(ascii: "/")]) } ?? "")
    }
}

extension S3ObjectStorage {
    var base: String { "\(configuration.useTLS ? "https" : "http")://\(configuration.host)" }

    var signature: SignatureV4 {
        SignatureV4(
            accessKey: configuration.accessKey,
            secretKey: configuration.secretKey,
            region: configuration.region
        )
    }

    /// Sends a request; anything but a success is thrown.
    func send(_ request: S3Request) async throws(ObjectStorageError) -> HTTPResponse {
        let response: HTTPResponse
        do throws(HTTPError) { response = try await client.execute(signed(request)) } catch {
            throw ObjectStorageError(error, at: configuration)
        }
        if (200...299).contains(response.status) { return response }
        guard request.method != .head else { throw try await reason(ofHead: request, status: response.status) }
        let body: [UInt8]
        do throws(HTTPError) { body = try await response.body.collect(upTo: 256 << 10) } catch {
            throw ObjectStorageError(error, at: configuration)
        }
        throw S3Failure(status: response.status, body: body).error(for: request, at: configuration)
    }

    /// The answer to HEAD has no body, so its status alone can't tell a missing object from a missing bucket: the same is
    /// asked with GET, whose body is dropped should the object have come into being meanwhile.
    private func reason(ofHead request: S3Request, status: Int) async throws(ObjectStorageError) -> ObjectStorageError {
        var request = request
        request.method = .get
        _ = try await send(request)
        return ObjectStorageError(
            .unavailable,
            "\(configuration): the answer to HEAD is status \(status), to GET a success"
        )
    }

    private func signed(_ request: S3Request) -> HTTPRequest {
        let time = SignatureTime(now())
        let path = request.path(in: configuration.bucket)
        let bodyHash =
            request.body.isEmpty ? SignatureV4.emptyBodyHash : hexadecimal(SHA256.hash(data: request.body))
        var headers = [("host", configuration.host), ("x-amz-content-sha256", bodyHash), ("x-amz-date", time.full)]
        if let type = request.contentType { headers.append(("content-type", type)) }
        headers += request.headers.map { ($0.name, $0.value) }
        let authorization = signature.authorization(
            method: request.method.rawValue,
            path: path,
            query: request.query,
            headers: headers.map { (name: $0.0, value: $0.1) },
            bodyHash: bodyHash,
            time: time
        )
        let query = S3Query.encode(request.query)
        let sendsBody = request.method == .put || request.method == .post
        return HTTPRequest(
            method: request.method,
            url: base + path + (query.isEmpty ? "" : "?" + query),
            // The client writes Host itself, from the URL.
            headers: headers.filter { $0.0 != "host" }.map { HTTPHeader(name: $0.0, value: $0.1) }
                + [HTTPHeader(name: "Authorization", value: authorization)],
            body: sendsBody ? .bytes(request.body) : .none,
            tls: configuration.caFile.map { TLSOptions(caFile: $0) },
            deadlines: request.deadlines ?? options.deadlines
        )
    }

    /// The XML of an answer.
    func xml(of response: HTTPResponse) async throws(ObjectStorageError) -> XMLNode {
        let body: [UInt8]
        // A thousand keys of 1024 bytes, each encoded with three characters, and what surrounds them.
        do throws(HTTPError) { body = try await response.body.collect(upTo: 8 << 20) } catch {
            throw ObjectStorageError(error, at: configuration)
        }
        guard let node = XMLNode.parse(body) else { throw .unexpected("no XML", at: configuration) }
        return node
    }

    /// Does something again while it fails for a reason that passes within seconds.
    func repeating<Value: Sendable>(
        _ what: String,
        unless isFinal: (ObjectStorageError) -> Bool = { _ in false },
        _ operation: () async throws(ObjectStorageError) -> Value
    ) async throws(ObjectStorageError) -> Value {
        try await options.repeating(what, at: "\(configuration)", unless: isFinal, operation)
    }
}

extension S3Options {
    /// Does something again while it fails for a reason that passes within seconds.
    /// - Parameters:
    ///   - what: what is done, for the log.
    ///   - place: where, for the error of a cancelled task.
    ///   - isFinal: whether a failure isn't to be repeated although it passes.
    ///   - operation: what to do.
    func repeating<Value: Sendable>(
        _ what: String,
        at place: String,
        unless isFinal: (ObjectStorageError) -> Bool = { _ in false },
        _ operation: () async throws(ObjectStorageError) -> Value
    ) async throws(ObjectStorageError) -> Value {
        do {
            return try await retry(
                "object store: \(what)",
                backoff: backoff,
                maxAttempts: attempts,
                deadline: patience,
                logger: Logger(label: "object-storage")
            ) { _ in
                do throws(ObjectStorageError) { return try await operation() } catch {
                    let passes = error.code == .unavailable || error.code == .truncated
                    throw Failed(error: error, isRetryable: passes && error.isRetryable && !isFinal(error))
                }
            }
        } catch let failed as Failed {
            throw failed.error
        } catch {
            throw ObjectStorageError(.cancelled, "\(place): \(what): cancelled", cause: error)
        }
    }
}

/// A failure with the decision whether to try again at once, which is narrower than whether it may pass some time.
private struct Failed: RetryableError, CustomStringConvertible {
    let error: ObjectStorageError
    let isRetryable: Bool
    var description: String { error.description }
}
