import HTTP

extension S3ObjectStorage {
    /// The most objects that a listing may have; a server that never ends one isn't followed further.
    private static let maximumObjects = 1_000_000

    /// Lists objects, page by page, see ``ObjectStorage/list(prefix:)``.
    public func list(prefix: String) async throws(ObjectStorageError) -> [ObjectInfo] {
        guard prefix.utf8.count <= ObjectKey.maximumBytes, !prefix.utf8.contains(0) else {
            throw ObjectStorageError(
                .invalidKey,
                "a prefix has up to \(ObjectKey.maximumBytes) bytes of UTF-8 without NUL; this one has \(prefix.utf8.count)"
            )
        }
        var found: [ObjectInfo] = []
        var token: String?
        var seen: Set<String> = []
        repeat {
            // Keys may have characters that XML can't express: they are asked for in percent-encoding.
            var query = [S3Query("list-type", "2"), S3Query("prefix", prefix), S3Query("encoding-type", "url")]
            if let token { query.append(S3Query("continuation-token", token)) }
            let request = S3Request(.get, query: query)
            let page = try await repeating("list") { () throws(ObjectStorageError) in
                try listing(try await xml(of: try await send(request)))
            }
            found += page.objects
            token = page.next
            guard found.count <= Self.maximumObjects else {
                throw ObjectStorageError(
                    .tooLarge,
                    "\(configuration): more than \(Self.maximumObjects) objects are listed"
                )
            }
            if let token, !seen.insert(token).inserted {
                throw .unexpected("a listing that goes in circles", at: configuration)
            }
        } while token != nil
        // Not every server filters and sorts by bytes.
        return found.filter { $0.key.utf8.starts(with: prefix.utf8) }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// A page of a listing.
    func listing(_ node: XMLNode) throws(ObjectStorageError) -> (objects: [ObjectInfo], next: String?) {
        guard node.name == "ListBucketResult" else {
            throw .unexpected("XML named \(node.name.quotedForError)", at: configuration)
        }
        let isEncoded = node.text(of: "EncodingType") == "url"
        var objects: [ObjectInfo] = []
        for child in node.children where child.name == "Contents" {
            guard let text = child.text(of: "Key"),
                let key = isEncoded ? PercentEncoding.decode(text, plusIsSpace: true) : text,
                let size = child.text(of: "Size").flatMap(Int64.init), size >= 0
            else { throw .unexpected("a listing with an object that lacks key or size", at: configuration) }
            let etag = child.text(of: "ETag") ?? ""
            objects.append(ObjectInfo(key: key, size: size, etag: etag.filter { $0 != "\"" }))
        }
        switch node.text(of: "IsTruncated") {
        case "true":
            guard let next = node.text(of: "NextContinuationToken"), !next.isEmpty else {
                throw .unexpected("a cut listing that can't be continued", at: configuration)
            }
            return (objects, next)
        case "false": return (objects, nil)
        default: throw .unexpected("a listing that doesn't say whether it is whole", at: configuration)
        }
    }
}
