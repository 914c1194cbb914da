import HTTP

/// Storing a file in parts ("Uploading and copying objects using multipart upload" in the S3 user guide).
extension S3ObjectStorage {
    /// How many parts an upload may have at most.
    private static let maximumParts: Int64 = 10_000

    func putInParts(_ key: String, _ source: SourceFile) async throws(ObjectStorageError) {
        let count = (source.size + options.partSize - 1) / options.partSize
        guard count <= Self.maximumParts else {
            let limit = Self.maximumParts * options.partSize
            throw ObjectStorageError(
                .tooLarge,
                "the file for \(key.quotedForError) has \(source.size) bytes; up to \(limit) can be stored"
            )
        }
        let upload = try await begin(key)
        do throws(ObjectStorageError) {
            var tags: [String] = []
            for part in 0..<count {
                tags.append(try await put(part: Int(part), of: source, key: key, upload: upload))
            }
            try await complete(key, upload: upload, tags: tags, size: source.size)
        } catch {
            await abort(key, upload: upload)
            throw error
        }
    }

    private func begin(_ key: String) async throws(ObjectStorageError) -> String {
        let request = S3Request(
            .post,
            key: key,
            query: [S3Query("uploads")],
            contentType: "application/octet-stream"
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

    private func put(
        part: Int,
        of source: SourceFile,
        key: String,
        upload: String
    ) async throws(ObjectStorageError) -> String {
        let offset = Int64(part) * options.partSize
        let bytes = try await disk.run { () throws(ObjectStorageError) in
            try source.readExactly(at: offset, count: Int(min(options.partSize, source.size - offset)))
        }
        let query = [S3Query("partNumber", String(part + 1)), S3Query("uploadId", upload)]
        let request = S3Request(.put, key: key, query: query, body: bytes)
        return try await repeating("put part") { () throws(ObjectStorageError) in
            guard let tag = try await send(request).headers.first("ETag"), !tag.isEmpty else {
                throw .unexpected("a part without an ETag", at: configuration)
            }
            return tag
        }
    }

    private func complete(
        _ key: String,
        upload: String,
        tags: [String],
        size: Int64
    ) async throws(ObjectStorageError) {
        let parts = tags.enumerated().map { index, tag in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag.escapedForXML)</ETag></Part>"
        }
        let text = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        let request = S3Request(
            .post,
            key: key,
            query: [S3Query("uploadId", upload)],
            contentType: "application/xml",
            body: Array(text.utf8)
        )
        var isRepeated = false
        try await repeating("complete upload") { () throws(ObjectStorageError) in
            do throws(ObjectStorageError) {
                let node = try await xml(of: try await send(request))
                // The status is sent before the parts are joined, so an error may follow a 200.
                if node.name == "Error" {
                    throw S3Failure(status: 200, node: node).error(for: request, at: configuration)
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
    private func abort(_ key: String, upload: String) async {
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
    fileprivate var isSurelyWithoutEffect: Bool {
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
