import Crypto
public import HTTP
public import Util

/// Reads objects through links, without credentials of its own.
///
/// What may pass is tried again; a refusal isn't. No error repeats a link.
public struct ObjectLinkReader: Sendable {
    private let client: HTTPClient
    private let options: S3Options
    private let disk: Disk
    private let now: @Sendable () -> Timestamp

    /// A reader.
    /// - Parameters:
    ///   - client: carries the requests.
    ///   - executor: where calls block while they write files.
    ///   - options: deadlines and repetitions.
    ///   - now: the clock by which links expire.
    public init(
        client: HTTPClient,
        executor: BlockingExecutor,
        options: S3Options = S3Options(),
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.client = client
        self.options = options
        self.now = now
        disk = Disk(executor: executor)
    }

    /// Reads an object into a file that replaces what was at that path; on an error nothing is changed there.
    /// - Parameters:
    ///   - link: where the object is.
    ///   - file: the path of the file to make; the folder it lies in must exist.
    ///   - limit: the most bytes the object may have.
    ///   - sha256: what the content's digest has to be, in hexadecimal; nil: anything.
    /// - Returns: how many bytes there were.
    public func get(
        _ link: ObjectLink,
        to file: String,
        limit: Int64,
        sha256: String? = nil
    ) async throws(ObjectStorageError) -> Int64 {
        try await options.repeating("get", at: "\(link)") { () throws(ObjectStorageError) in
            let response = try await open(link)
            guard let size = response.headers.first("Content-Length").flatMap(Int64.init), size >= 0 else {
                throw ObjectStorageError(
                    .unexpectedAnswer,
                    "\(link): the answer lacks a Content-Length; is that an object store?"
                )
            }
            guard size <= limit else {
                throw ObjectStorageError(
                    .tooLarge,
                    "\(link): the object has \(size) bytes; up to \(limit) are allowed"
                )
            }
            let partial = try await disk.run { () throws(ObjectStorageError) in try PartialFile(replacing: file) }
            var hash = SHA256()
            var received: Int64 = 0
            var pieces = response.body.makeAsyncIterator()
            while let piece = try await next(&pieces, link) {
                received += Int64(piece.count)
                guard received <= size else { break }
                hash.update(data: piece)
                try await disk.run { () throws(ObjectStorageError) in try partial.write(piece) }
            }
            guard received == size else {
                throw ObjectStorageError(.truncated, "\(link): \(received) bytes came of an object of \(size)")
            }
            let digest = hash.finalize().hexText
            if let sha256, sha256 != digest {
                throw ObjectStorageError(
                    .changed,
                    "\(link): the object's SHA-256 is \(digest), expected is \(sha256)"
                )
            }
            try await disk.run { () throws(ObjectStorageError) in try partial.commit() }
            return size
        }
    }

    private func open(_ link: ObjectLink) async throws(ObjectStorageError) -> HTTPResponse {
        var tls: TLSOptions?
        if let authorities = link.authorities {
            tls = TLSOptions()
            tls?.caData = Array(authorities.utf8)
        }
        let request = HTTPRequest(
            url: link.url,
            tls: tls,
            deadlines: options.deadlines
        )
        let response: HTTPResponse
        do throws(HTTPError) { response = try await client.execute(request) } catch {
            throw ObjectStorageError(error, through: link)
        }
        guard response.status != 200 else { return response }
        let body: [UInt8]
        do throws(HTTPError) { body = try await response.body.collect(upTo: 256 << 10) } catch {
            throw ObjectStorageError(error, through: link)
        }
        throw S3Failure(status: response.status, body: body).error(through: link, now: now())
    }

    private func next(
        _ pieces: inout HTTPResponseBody.AsyncIterator,
        _ link: ObjectLink
    ) async throws(ObjectStorageError) -> [UInt8]? {
        do throws(HTTPError) { return try await pieces.next() } catch {
            throw ObjectStorageError(error, through: link)
        }
    }
}

extension ObjectStorageError {
    /// The error of a request that got no answer, or of an answer that broke off. The request's own text has the link's path in
    /// it, so only what comes after that is taken over.
    fileprivate init(_ error: HTTPError, through link: ObjectLink) {
        let request = "GET \(link.url.prefix { $0 != "?" }): "
        let reason =
            error.message.hasPrefix(request) ? String(error.message.dropFirst(request.count)) : error.code.rawValue
        self.init(Code(error.code), "\(link): \(reason)", isRetryable: error.isRetryable ? true : nil)
    }
}

extension S3Failure {
    /// What a server's refusal of a link means. Of its words only the code is repeated: it may quote what it was sent.
    fileprivate func error(through link: ObjectLink, now: Timestamp) -> ObjectStorageError {
        let kind = kind(hasKey: true)
        var said = "status \(status)"
        if let code, code.utf8.count <= 40,
            code.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) })
        {
            said += " \(code)"
        }
        let advice: String
        switch kind {
        case .denied: advice = "; " + Self.whyDenied(link, now: now)
        case .notFound: advice = "; there is no such object"
        case .noBucket: advice = "; there is no such bucket"
        case .unexpectedAnswer: advice = " without an S3 error; is that an object store?"
        default: advice = ""
        }
        return ObjectStorageError(kind, "\(link): \(said)\(advice)")
    }

    private static func whyDenied(_ link: ObjectLink, now: Timestamp) -> String {
        guard let end = link.expiresAt else { return "the link has probably expired" }
        guard now < end else { return "the link expired at \(end)" }
        return
            "the link says that it is valid until \(end): whose credentials signed it may have lost them or the right to "
            + "read this, or this clock and the object store's differ"
    }
}
