/// A bucket whose objects can be read in parts, and grow for the price of what is new.
public protocol ObjectAppending: ObjectStorage {
    /// Reads a part of an object.
    /// - Parameters:
    ///   - range: bytes, not empty, that lie inside the object.
    ///   - object: what the object is.
    /// - Throws: ``ObjectStorageError``, with code `changed` when the object isn't that one any more.
    func read(_ range: Range<Int64>, of object: ObjectInfo) async throws(ObjectStorageError) -> [UInt8]

    /// Adds to the end of an object, or makes it. Readers see what was there or all of the new content, nothing between.
    ///
    /// What is there already isn't sent again, but for objects below a few MiB. After an error the bytes may have been added all the
    /// same, as when an answer was lost; to find out, read what follows the base's size.
    /// - Parameters:
    ///   - key: the object's key.
    ///   - base: what the object is; nil when it isn't there.
    ///   - contentType: the media type.
    ///   - next: called for more bytes until it returns nil; what it returns is best a few MiB long.
    /// - Throws: ``ObjectStorageError``, with code `changed` when the object isn't the base any more.
    func append(
        to key: String,
        base: ObjectInfo?,
        contentType: String,
        next: () async throws(ObjectStorageError) -> [UInt8]?
    ) async throws(ObjectStorageError)

    /// Removes what additions to an object have left on the server that neither succeeded nor could be taken back, as when the
    /// process died. None may be under way.
    func discardUnfinished(_ key: String) async throws(ObjectStorageError)
}

extension ObjectAppending {
    /// Adds bytes to the end of an object, see ``append(to:base:contentType:next:)``.
    public func append(
        to key: String,
        base: ObjectInfo?,
        bytes: [UInt8],
        contentType: String
    ) async throws(ObjectStorageError) {
        var rest: [UInt8]? = bytes
        try await append(to: key, base: base, contentType: contentType) { () throws(ObjectStorageError) in
            defer { rest = nil }
            return rest
        }
    }
}

extension ObjectStorageError {
    static func changed(_ key: String) -> ObjectStorageError {
        ObjectStorageError(.changed, "the object \(key.quotedForError) was written by somebody else meanwhile")
    }

    static func outside(_ range: Range<Int64>, of object: ObjectInfo) -> ObjectStorageError {
        ObjectStorageError(
            .refused,
            "the object \(object.key.quotedForError) has \(object.size) bytes, not those from \(range.lowerBound) to "
                + "\(range.upperBound)"
        )
    }
}
