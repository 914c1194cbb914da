/// The checksum of zip and gzip (ISO 3309, polynomial 0xEDB88320 reflected), a byte at a time.
///
/// libarchive checks the content of files in zips; the target of a symbolic link it reads without, and a gzip file too.
struct Checksum {
    private var state: UInt32 = ~0

    /// Of all that was added.
    var value: UInt32 { ~state }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        // A global is looked up anew for each byte.
        let values = table
        state = bytes.reduce(state) { crc, byte in values[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
    }
}

/// The checksum of bytes that are all there.
func crc32(_ bytes: [UInt8]) -> UInt32 {
    var checksum = Checksum()
    checksum.add(bytes)
    return checksum.value
}

private let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
}
