import Glibc
public import HTTP
public import Util

/// A bucket of an object store that speaks the S3 API, such as MinIO, addressed path-style.
///
/// Requests that fail for a passing reason are repeated a few times. Credentials are in no error and no log.
public struct S3ObjectStorage: ObjectStorage {
    let configuration: S3Configuration
    let client: HTTPClient
    let options: S3Options
    let disk: Disk
    let now: @Sendable () -> Timestamp

    /// The bucket of a configuration.
    /// - Parameters:
    ///   - configuration: where the bucket is.
    ///   - client: carries the requests.
    ///   - executor: where calls block while they read and write files.
    ///   - options: deadlines, repetitions, sizes.
    ///   - now: the clock that requests are signed with.
    public init(
        _ configuration: S3Configuration,
        client: HTTPClient,
        executor: BlockingExecutor,
        options: S3Options = S3Options(),
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.configuration = configuration
        self.client = client
        self.options = options
        self.now = now
        disk = Disk(executor: executor)
    }

    /// Downloads an object, see ``ObjectStorage/get(_:to:limit:)``.
    public func get(_ key: String, to file: String, limit: Int64) async throws(ObjectStorageError) -> ObjectInfo {
        let request = S3Request(.get, key: try checked(key))
        return try await repeating("get") { () throws(ObjectStorageError) in
            let response = try await send(request)
            let info = try objectInfo(key, response)
            guard info.size <= limit else { throw .tooLarge(key, size: info.size, limit: limit) }
            let partial = try await disk.run { () throws(ObjectStorageError) in try PartialFile(replacing: file) }
            try await forEachBlock(of: response.body, info: info) { block throws(ObjectStorageError) in
                try await disk.run { () throws(ObjectStorageError) in try partial.write(block) }
            }
            try await disk.run { () throws(ObjectStorageError) in try partial.commit() }
            return info
        }
    }

    /// Reads a small object, see ``ObjectStorage/getBytes(_:limit:)``.
    public func getBytes(_ key: String, limit: Int) async throws(ObjectStorageError) -> [UInt8] {
        let request = S3Request(.get, key: try checked(key))
        return try await repeating("get") { () throws(ObjectStorageError) in
            let response = try await send(request)
            let info = try objectInfo(key, response)
            guard info.size <= limit else { throw .tooLarge(key, size: info.size, limit: Int64(limit)) }
            var bytes: [UInt8] = []
            try await forEachBlock(of: response.body, info: info) { block throws(ObjectStorageError) in
                bytes += block
            }
            return bytes
        }
    }

    /// Stores bytes, see ``ObjectStorage/put(_:bytes:contentType:)``.
    public func put(_ key: String, bytes: [UInt8], contentType: String) async throws(ObjectStorageError) {
        let request = S3Request(.put, key: try checked(key), contentType: contentType, body: bytes)
        try await repeating("put") { () throws(ObjectStorageError) in
            _ = try await send(request)
        }
    }

    /// Stores a file, a large one in parts, see ``ObjectStorage/put(_:file:)``.
    public func put(_ key: String, file: String) async throws(ObjectStorageError) {
        _ = try checked(key)
        let source = try await disk.run { () throws(ObjectStorageError) in
            guard let source = try SourceFile(path: file) else { throw .system("can't open", file, ENOENT) }
            return source
        }
        guard source.size > options.partSize else {
            let bytes = try await disk.run { () throws(ObjectStorageError) in
                try source.readExactly(at: 0, count: Int(source.size))
            }
            return try await put(key, bytes: bytes, contentType: "application/octet-stream")
        }
        try await putInParts(key, source)
    }

    /// Asks for an object, see ``ObjectStorage/info(_:)``.
    public func info(_ key: String) async throws(ObjectStorageError) -> ObjectInfo? {
        let request = S3Request(.head, key: try checked(key))
        do throws(ObjectStorageError) {
            return try await repeating("info") { () throws(ObjectStorageError) in
                try objectInfo(key, try await send(request))
            }
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Removes an object, see ``ObjectStorage/delete(_:)``.
    public func delete(_ key: String) async throws(ObjectStorageError) {
        let request = S3Request(.delete, key: try checked(key))
        do throws(ObjectStorageError) {
            try await repeating("delete") { () throws(ObjectStorageError) in
                _ = try await send(request)
            }
        } catch  where error.code == .notFound {
            return
        }
    }

    /// Lists one object, see ``ObjectStorage/check()``.
    public func check() async throws(ObjectStorageError) {
        var request = S3Request(.get, query: [S3Query("list-type", "2"), S3Query("max-keys", "1")])
        request.deadlines = HTTPDeadlines(connect: .seconds(3), idle: .seconds(5), total: .seconds(5))
        _ = try listing(try await xml(of: try await send(request)))
    }

    /// A URL with which whoever has it can read the object for a time: a GET of it is signed in its query (Signature V4).
    ///
    /// Of the credentials it has the access key's id in it, which S3 puts there to find the key by; the secret key isn't in it
    /// and can't be had from it. With TLS, it is an https URL.
    /// - Parameters:
    ///   - key: the object's key; whether it exists isn't looked up.
    ///   - expires: from 1 second to 7 days.
    public func presignedURL(_ key: String, expires: Duration) throws(ObjectStorageError) -> String {
        let seconds = expires.components.seconds
        guard (1...604_800).contains(seconds) else {
            throw ObjectStorageError(.refused, "a presigned URL is valid for 1 second to 7 days, not for \(expires)")
        }
        let request = S3Request(.get, key: try checked(key))
        let path = request.path(in: configuration.bucket)
        let query = signature.presignedQuery(
            path: path,
            host: configuration.host,
            seconds: Int(seconds),
            time: SignatureTime(now())
        )
        return "\(base)\(path)?\(query)"
    }

    private func checked(_ key: String) throws(ObjectStorageError) -> String {
        try ObjectKey.check(key)
        return key
    }

    /// Size and tag from the head of an answer. Whatever isn't an object store, as a web server, seldom sends both.
    func objectInfo(_ key: String, _ response: HTTPResponse) throws(ObjectStorageError) -> ObjectInfo {
        guard let size = response.headers.first("Content-Length").flatMap(Int64.init), size >= 0,
            let etag = response.headers.first("ETag"), !etag.isEmpty
        else {
            throw ObjectStorageError(
                .unexpectedAnswer,
                "\(configuration): the answer for \(key.quotedForError) lacks Content-Length or ETag; is that an object store?"
            )
        }
        return ObjectInfo(key: key, size: size, etag: etag.filter { $0 != "\"" })
    }

    /// Hands over the body in blocks of about a megabyte, and sees to it that it is as long as announced.
    func forEachBlock(
        of body: HTTPResponseBody,
        info: ObjectInfo,
        _ take: ([UInt8]) async throws(ObjectStorageError) -> Void
    ) async throws(ObjectStorageError) {
        var pieces = body.makeAsyncIterator()
        var block: [UInt8] = []
        var received: Int64 = 0
        while true {
            let piece: [UInt8]?
            do throws(HTTPError) { piece = try await pieces.next() } catch {
                throw ObjectStorageError(error, at: configuration)
            }
            guard let piece else { break }
            received += Int64(piece.count)
            block += piece
            guard block.count >= 1 << 20 else { continue }
            try await take(block)
            block.removeAll(keepingCapacity: true)
        }
        guard received == info.size else {
            throw ObjectStorageError(
                .truncated,
                "\(configuration): \(received) of the \(info.size) bytes of \(info.key.quotedForError) came"
            )
        }
        if !block.isEmpty { try await take(block) }
    }
}

/// How an S3 bucket is worked with.
public struct S3Options: Sendable {
    /// Files larger than this many bytes are stored in parts of this size; at least 5 MiB on real servers.
    public var partSize: Int64
    /// About how many bytes the server is asked to copy at once when an object grows, 5 MiB to 5 GiB on real servers.
    public var copySize: Int64
    /// How often a request is tried at most.
    public var attempts: Int
    /// The waits between attempts.
    public var backoff: Backoff
    /// How long after the first attempt a further one may begin.
    public var patience: Duration
    /// How long one request may take.
    public var deadlines: HTTPDeadlines

    /// 8 MiB parts; up to 4 attempts within 30 s, 5 s to connect and 15 s without a byte each, unless given otherwise.
    public init(
        partSize: Int64 = 8 << 20,
        copySize: Int64 = 256 << 20,
        attempts: Int = 4,
        backoff: Backoff? = nil,
        patience: Duration = .seconds(30),
        deadlines: HTTPDeadlines = HTTPDeadlines(connect: .seconds(5), idle: .seconds(15))
    ) {
        self.partSize = partSize
        self.copySize = copySize
        self.attempts = attempts
        self.backoff = backoff ?? (try? Backoff(initial: .milliseconds(200), maximum: .seconds(3))) ?? .standard
        self.patience = patience
        self.deadlines = deadlines
    }
}
