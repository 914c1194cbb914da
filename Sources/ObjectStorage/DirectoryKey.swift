/// How keys become paths inside a folder.
///
/// A key is percent-encoded as a whole, slashes and leading dots included, so it names nothing outside the folder, no two keys
/// share a name, and a key may begin another one (`a`, `a/b`). Encoded keys that are longer than a file's name may be are cut
/// into pieces; all but the last are folders, whose names end in `+`, which no encoded key contains.
enum DirectoryKey {
    private static let pieceLength = 200
    /// As many as 1024 bytes, each three characters when encoded, can fill.
    static let maximumDepth = 3 * ObjectKey.maximumBytes / pieceLength

    static func relativePath(of key: String) throws(ObjectStorageError) -> String {
        try ObjectKey.check(key)
        return path(of: key)
    }

    private static func path(of key: String) -> String {
        var rest = encode(key)[...]
        var path = ""
        while rest.utf8.count > pieceLength {
            path += rest.prefix(pieceLength) + "+/"
            rest = rest.dropFirst(pieceLength)
        }
        return path + rest
    }

    static func isFolder(_ name: String) -> Bool { name.utf8.last == UInt8(ascii: "+") }

    /// The key whose encoding this is, nil when it is none's.
    static func key(encoded: String) -> String? {
        guard let key = PercentEncoding.decode(encoded, plusIsSpace: false), encode(key) == encoded else { return nil }
        return (1...ObjectKey.maximumBytes).contains(key.utf8.count) ? key : nil
    }

    /// Whether a file of this name so many folders deep is where the key's object lies.
    static func isRelativePath(_ name: String, _ depth: Int, of key: String) -> Bool {
        let pieces = path(of: key).split(separator: "/")
        return pieces.count == depth + 1 && pieces.last.map(String.init) == name
    }

    private static func encode(_ key: String) -> String {
        let encoded = PercentEncoding.encode(key)
        // A piece that begins with a dot could be "..", or one of the partial files.
        var pieces = ""
        var length = 0
        for character in encoded {
            let startsPiece = length % pieceLength == 0
            pieces += startsPiece && character == "." ? "%2E" : String(character)
            length = pieces.utf8.count
        }
        return pieces
    }
}
