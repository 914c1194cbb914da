import HTTP

/// Storing a file in parts ("Uploading and copying objects using multipart upload" in the S3 user guide).
extension S3ObjectStorage {
    /// How many parts an upload may have at most.
    static let maximumParts: Int64 = 10_000

    func putInParts(_ key: String, _ source: SourceFile) async throws(ObjectStorageError) {
        let count = (source.size + options.partSize - 1) / options.partSize
        guard count <= Self.maximumParts else {
            let limit = Self.maximumParts * options.partSize
            throw ObjectStorageError(
                .tooLarge,
                "the file for \(key.quotedForError) has \(source.size) bytes; up to \(limit) can be stored"
            )
        }
        try await inParts(key, contentType: "application/octet-stream") { upload throws(ObjectStorageError) in
            var tags: [String] = []
            for part in 0..<count {
                let offset = part * options.partSize
                let bytes = try await disk.run { () throws(ObjectStorageError) in
                    try source.readExactly(at: offset, count: Int(min(options.partSize, source.size - offset)))
                }
                tags.append(try await put(part: tags.count + 1, bytes, key: key, upload: upload))
            }
            try await complete(key, upload: upload, tags: tags, size: source.size)
        }
    }

    /// Begins an upload for an operation, and has it thrown away when that fails.
    func inParts(
        _ key: String,
        contentType: String,
        _ operation: (_ upload: String) async throws(ObjectStorageError) -> Void
    ) async throws(ObjectStorageError) {
        let upload = try await begin(key, contentType)
        do throws(ObjectStorageError) { try await operation(upload) } catch {
            await abort(key, upload: upload)
            throw error
        }
    }

    private func begin(_ key: String, _ contentType: String) async throws(ObjectStorageError) -> String {
        let request = S3Request(
            .post,
            key: key,
            query: [S3Query("uploads")],
            contentType: contentType
        )
        // When no answer comes, an upload may have begun whose name nobody knows; it isn't begun a second time.
        return try await repeating("begin upload", unless: { !$0.isSurelyWithoutEffect }) {
            () throws(ObjectStorageError) in
            let node = try await xml(of: try await send(request))
            guard let upload = node.text(of: "UploadId"), !upload.isEmpty else {
                throw .unexpected("an upload without an id", at: configuration)
            }
            return upload
        }
    }

    /// Stores a part; the first has the number 1.
    /// - Returns: its tag.
    func put(
        part: Int,
        _ bytes: [UInt8],
        key: String,
        upload: String
    ) async throws(ObjectStorageError) -> String {
        let query = [S3Query("partNumber", String(part)), S3Query("uploadId", upload)]
        let request = S3Request(.put, key: key, query: query, body: bytes)
        return try await repeating("put part") { () throws(ObjectStorageError) in
            guard let tag = try await send(request).headers.first("ETag"), !tag.isEmpty else {
                throw .unexpected("a part without an ETag", at: configuration)
            }
            return tag
        }
    }

    /// Makes an object of the parts.
    /// - Parameters:
    ///   - size: how many bytes they have together.
    ///   - condition: a header field that says what the object has to be until then.
    func complete(
        _ key: String,
        upload: String,
        tags: [String],
        size: Int64,
        condition: S3Condition? = nil
    ) async throws(ObjectStorageError) {
        let parts = tags.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag.escapedForXML)</ETag></Part>"
        }
        let text = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        var request = S3Request(
            .post,
            key: key,
            query: [S3Query("uploadId", upload)],
            contentType: "application/xml",
            body: Array(text.utf8)
        )
        request.headers = condition?.headers ?? []
        let completion = request
        var isRepeated = false
        try await repeating("complete upload") { () throws(ObjectStorageError) in
            do throws(ObjectStorageError) {
                let node = try await xml(of: try await send(completion))
                // The status is sent before the parts are joined, so an error may follow a 200.
                if node.name == "Error" {
                    throw S3Failure(status: 200, node: node).error(for: completion, at: configuration)
                }
                guard node.name == "CompleteMultipartUploadResult" else {
                    throw .unexpected("XML named \(node.name.quotedForError)", at: configuration)
                }
            } catch {
                let isGone = (error.cause as? S3Failure)?.code == "NoSuchUpload"
                // The answer to an attempt before this one was lost on its way.
                if isRepeated, isGone, let info = try await info(key), info.size == size { return }
                isRepeated = true
                throw error
            }
        }
    }

    /// Has the server throw the parts away. Also done for a task that was cancelled, so in a task that isn't.
    func abort(_ key: String, upload: String) async {
        var request = S3Request(.delete, key: key, query: [S3Query("uploadId", upload)])
        request.deadlines = HTTPDeadlines(connect: .seconds(2), idle: .seconds(5), total: .seconds(5))
        let abortion = request
        await Task {
            // The failure that led here is the one to tell. What stays of the upload is removed by the server's own rules.
            do throws(ObjectStorageError) { _ = try await send(abortion) } catch { return }
        }.value
    }
}

extension ObjectStorageError {
    /// Whether the request can't have done anything: no connection came about, or the server said no.
    var isSurelyWithoutEffect: Bool {
        if cause is S3Failure { return true }
        guard let error = cause as? HTTPError else { return false }
        return [.refused, .unresolved, .timeoutConnect].contains(error.code)
    }
}

extension String {
    fileprivate var escapedForXML: String {
        var text = ""
        for character in self {
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            default: text.append(character)
            }
        }
        return text
    }
}
