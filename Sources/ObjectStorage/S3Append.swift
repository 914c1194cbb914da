import HTTP

/// Objects that grow. S3 can't append; it can join parts, and a part may be a copy that the server makes of an object itself
/// ("UploadPartCopy" in the S3 API reference).
extension S3ObjectStorage: ObjectAppending {
    /// The least bytes of a part that isn't the last.
    private static let leastPart: Int64 = 5 << 20

    /// Reads a part of an object, see ``ObjectAppending/read(_:of:)``.
    public func read(_ range: Range<Int64>, of object: ObjectInfo) async throws(ObjectStorageError) -> [UInt8] {
        try ObjectKey.check(object.key)
        guard range.lowerBound >= 0, !range.isEmpty, range.upperBound <= object.size else {
            throw .outside(range, of: object)
        }
        var request = S3Request(.get, key: object.key)
        request.headers = [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        request.headers += S3Condition.is(object).headers
        let get = request
        return try await repeating("get range") { () throws(ObjectStorageError) in
            let response = try await send(get)
            let info = try objectInfo(object.key, response)
            guard info.etag == object.etag else { throw .changed(object.key) }
            let place = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(object.size)"
            let isWhole = response.status == 200 && range == 0..<object.size
            guard isWhole || response.headers.first("Content-Range") == place, info.size == Int64(range.count) else {
                throw .unexpected("not the part that was asked for", at: configuration)
            }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(range.count)
            try await forEachBlock(of: response.body, info: info) { block throws(ObjectStorageError) in
                bytes += block
            }
            return bytes
        }
    }

    /// Adds to an object, see ``ObjectAppending/append(to:base:contentType:next:)``.
    public func append(
        to key: String,
        base: ObjectInfo?,
        contentType: String,
        next: () async throws(ObjectStorageError) -> [UInt8]?
    ) async throws(ObjectStorageError) {
        try ObjectKey.check(key)
        let condition = base.map { S3Condition.is($0) } ?? .isMissing
        let copied = base.map { $0.size >= Self.leastPart } ?? false
        var buffer: [UInt8] = []
        if let base, !copied, base.size > 0 { buffer = try await read(0..<base.size, of: base) }
        if !copied {
            while Int64(buffer.count) <= options.partSize, let more = try await next() { buffer += more }
            if Int64(buffer.count) <= options.partSize {
                return try await put(key, buffer, contentType, condition)
            }
        }
        try await inParts(key, contentType: contentType) { upload throws(ObjectStorageError) in
            var tags: [String] = []
            var size: Int64 = 0
            if copied, let base {
                tags = try await copy(base, upload: upload)
                size = base.size
            }
            var isLast = false
            while !isLast {
                while Int64(buffer.count) <= options.partSize, !isLast {
                    if let more = try await next() { buffer += more } else { isLast = true }
                }
                guard !buffer.isEmpty else { break }
                try checkCount(tags.count + 1, key)
                tags.append(try await put(part: tags.count + 1, buffer, key: key, upload: upload))
                size += Int64(buffer.count)
                buffer.removeAll(keepingCapacity: true)
            }
            try await complete(key, upload: upload, tags: tags, size: size, condition: condition)
        }
    }

    /// Has the server throw away the parts of all uploads to a key, see ``ObjectAppending/discardUnfinished(_:)``.
    public func discardUnfinished(_ key: String) async throws(ObjectStorageError) {
        try ObjectKey.check(key)
        let request = S3Request(.get, query: [S3Query("uploads"), S3Query("prefix", key)])
        let uploads = try await repeating("list uploads") { () throws(ObjectStorageError) in
            try await xml(of: try await send(request))
        }
        for upload in uploads.children where upload.name == "Upload" {
            guard let id = upload.text(of: "UploadId"), let name = upload.text(of: "Key"),
                name.utf8.elementsEqual(key.utf8)
            else { continue }
            await abort(key, upload: id)
        }
    }

    /// Stores a whole object in the place of the one that was read.
    ///
    /// It isn't repeated when it may have taken effect: the next attempt would find the object changed, by itself.
    private func put(
        _ key: String,
        _ bytes: [UInt8],
        _ contentType: String,
        _ condition: S3Condition
    ) async throws(ObjectStorageError) {
        var request = S3Request(.put, key: key, contentType: contentType, body: bytes)
        request.headers = condition.headers
        let put = request
        try await repeating("put", unless: { !$0.isSurelyWithoutEffect }) { () throws(ObjectStorageError) in
            _ = try await send(put)
        }
    }

    /// Has the server copy an object into the first parts of an upload.
    private func copy(_ base: ObjectInfo, upload: String) async throws(ObjectStorageError) -> [String] {
        // As few requests as there may be, each done in a bearable time, and no part below the least.
        let longest = max(options.copySize, base.size / Self.halfOfParts)
        let count = max(1, base.size / longest)
        var tags: [String] = []
        for part in 0..<count {
            let start = base.size / count * part
            let end = part == count - 1 ? base.size : base.size / count * (part + 1)
            tags.append(try await copy(base, start..<end, part: Int(part) + 1, upload: upload))
        }
        return tags
    }

    private static var halfOfParts: Int64 { maximumParts / 2 }

    private func copy(
        _ base: ObjectInfo,
        _ range: Range<Int64>,
        part: Int,
        upload: String
    ) async throws(ObjectStorageError) -> String {
        var request = S3Request(
            .put,
            key: base.key,
            query: [S3Query("partNumber", String(part)), S3Query("uploadId", upload)]
        )
        request.headers = [
            ("x-amz-copy-source", request.path(in: configuration.bucket)),
            ("x-amz-copy-source-if-match", "\"\(base.etag)\""),
            ("x-amz-copy-source-range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
        ]
        request.deadlines = options.deadlines
        // Nothing comes while the server copies.
        request.deadlines?.idle = .seconds(60)
        let copying = request
        return try await repeating("copy part") { () throws(ObjectStorageError) in
            let node = try await xml(of: try await send(copying))
            // The status is sent before the copy is made, so an error may follow a 200.
            if node.name == "Error" {
                throw S3Failure(status: 200, node: node).error(for: copying, at: configuration)
            }
            guard let tag = node.text(of: "ETag"), !tag.isEmpty else {
                throw .unexpected("a part without an ETag", at: configuration)
            }
            return tag
        }
    }

    private func checkCount(_ count: Int, _ key: String) throws(ObjectStorageError) {
        guard Int64(count) <= Self.maximumParts else {
            throw ObjectStorageError(
                .tooLarge,
                "more is to be added to \(key.quotedForError) at once than can be stored"
            )
        }
    }
}

/// What an object has to be for a request to take effect ("Conditional requests" in the S3 user guide). Servers that don't
/// know these ignore them.
enum S3Condition: Sendable {
    case `is`(ObjectInfo)
    case isMissing

    var headers: [(name: String, value: String)] {
        switch self {
        case .is(let object): [("if-match", "\"\(object.etag)\"")]
        case .isMissing: [("if-none-match", "*")]
        }
    }
}
