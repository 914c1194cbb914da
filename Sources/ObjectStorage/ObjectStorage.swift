/// One bucket of objects.
///
/// Every call either succeeds as a whole or throws ``ObjectStorageError``: nothing half-read or half-written is ever taken for
/// whole. A key is 1 to 1024 bytes of UTF-8 without NUL; beyond that it may be any text.
public protocol ObjectStorage: Sendable {
    /// Reads an object into a file that replaces what was at that path; on an error nothing is changed there.
    /// - Parameters:
    ///   - key: the object's key.
    ///   - file: the path of the file to make; the folder it lies in must exist.
    ///   - limit: the most bytes the object may have.
    /// - Returns: what was read.
    func get(_ key: String, to file: String, limit: Int64) async throws(ObjectStorageError) -> ObjectInfo

    /// Reads a small object into memory.
    /// - Parameters:
    ///   - key: the object's key.
    ///   - limit: the most bytes the object may have.
    func getBytes(_ key: String, limit: Int) async throws(ObjectStorageError) -> [UInt8]

    /// Stores a file's content, replacing an object of that key.
    /// - Parameters:
    ///   - key: the object's key.
    ///   - file: the path of a regular file that doesn't change meanwhile.
    func put(_ key: String, file: String) async throws(ObjectStorageError)

    /// Stores bytes, replacing an object of that key.
    /// - Parameters:
    ///   - key: the object's key.
    ///   - bytes: the content.
    ///   - contentType: the media type, as `application/json`.
    func put(_ key: String, bytes: [UInt8], contentType: String) async throws(ObjectStorageError)

    /// What is known of an object; nil when the bucket is there and the object isn't.
    func info(_ key: String) async throws(ObjectStorageError) -> ObjectInfo?

    /// Removes an object. That it isn't there is a success.
    func delete(_ key: String) async throws(ObjectStorageError)

    /// All objects whose keys begin with the prefix, in the order of their keys' bytes. The empty prefix means all.
    func list(prefix: String) async throws(ObjectStorageError) -> [ObjectInfo]

    /// Returns when the bucket can really be read with these credentials; tries once, for a few seconds at most.
    func check() async throws(ObjectStorageError)
}

/// What is known of an object.
public struct ObjectInfo: Sendable, Hashable {
    /// The key.
    public let key: String
    /// The size in bytes.
    public let size: Int64
    /// Changes when the content does; without quotes.
    public let etag: String

    /// An object of this key.
    public init(key: String, size: Int64, etag: String) {
        self.key = key
        self.size = size
        self.etag = etag
    }
}

/// The rules for keys, the same for every kind of storage.
enum ObjectKey {
    static let maximumBytes = 1024

    static func check(_ key: String) throws(ObjectStorageError) {
        guard (1...maximumBytes).contains(key.utf8.count) else {
            throw ObjectStorageError(
                .invalidKey,
                "an object's key has 1 to \(maximumBytes) bytes of UTF-8; this one has \(key.utf8.count)"
            )
        }
        guard !key.utf8.contains(0) else {
            throw ObjectStorageError(.invalidKey, "the key \(key.quotedForError) contains a NUL byte")
        }
    }
}
