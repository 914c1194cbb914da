extension String {
    /// The text of bytes that are valid UTF-8; nil for others.
    ///
    /// Like `String(validating:as:)`, at a third of its cost where all bytes are ASCII, as almost everywhere in what is read here.
    package init?(utf8 bytes: UnsafeRawBufferPointer) {
        guard bytes.isASCII else {
            self.init(validating: bytes, as: UTF8.self)
            return
        }
        self.init(decoding: bytes, as: UTF8.self)
    }

    /// The text of bytes that are valid UTF-8; nil for others.
    package init?(utf8 bytes: ArraySlice<UInt8>) {
        guard let text = bytes.withUnsafeBytes({ String(utf8: $0) }) else { return nil }
        self = text
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var isASCII: Bool {
        var offset = 0
        while count - offset >= 8 {
            let eight = loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard eight & 0x8080_8080_8080_8080 == 0 else { return false }
            offset += 8
        }
        return self[offset...].allSatisfy { $0 < 0x80 }
    }
}
