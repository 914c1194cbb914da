extension DirectoryObjectStorage: ObjectAppending {
    /// Reads a part of an object, see ``ObjectAppending/read(_:of:)``.
    public func read(_ range: Range<Int64>, of object: ObjectInfo) async throws(ObjectStorageError) -> [UInt8] {
        guard range.lowerBound >= 0, !range.isEmpty, range.upperBound <= object.size else {
            throw .outside(range, of: object)
        }
        return try await disk.run { () throws(ObjectStorageError) in
            let source = try open(object.key)
            guard source.etag == object.etag else { throw .changed(object.key) }
            return try source.readExactly(at: range.lowerBound, count: range.count)
        }
    }

    /// Adds to an object, see ``ObjectAppending/append(to:base:contentType:next:)``; the content type isn't kept.
    public func append(
        to key: String,
        base: ObjectInfo?,
        contentType: String,
        next: () async throws(ObjectStorageError) -> [UInt8]?
    ) async throws(ObjectStorageError) {
        guard let base else {
            let partial = try await disk.run { () throws(ObjectStorageError) in try partialFile(for: key) }
            while let bytes = try await next() {
                try await disk.run { () throws(ObjectStorageError) in try partial.write(bytes) }
            }
            return try await disk.run { () throws(ObjectStorageError) in
                guard try partial.commitUnlessThere() else { throw .changed(key) }
            }
        }
        // All of it at once, so that readers don't have to wait for what comes from elsewhere.
        var pieces: [[UInt8]] = []
        while let bytes = try await next() { pieces.append(bytes) }
        let all = pieces
        try await disk.run { () throws(ObjectStorageError) in
            let path = try path(of: key)
            guard let file = try GrowingFile(path: path), file.etag == base.etag else {
                try checkRoot()
                throw .changed(key)
            }
            for bytes in all { try file.append(bytes) }
            try file.commit()
        }
    }

    /// Nothing to do: what was left is cut off by the next addition.
    public func discardUnfinished(_ key: String) async throws(ObjectStorageError) {}
}
