/// Writes zips byte by byte, so that every field can lie.
struct ZipWriter {
    struct Entry {
        var name: [UInt8]
        var content: [UInt8]
        var mode: UInt32
        /// 0 stored; 8 deflate, of which only uncompressed blocks are made.
        var method: UInt16 = 0
        var flags: UInt16 = 0x800
        /// 3 is Unix, 0 is FAT.
        var system: UInt16 = 3
        var localName: [UInt8]?
        var crc: UInt32?
        var announcedSize: UInt32?
        var headerOffset: UInt32?
        var extra: [UInt8] = []

        init(_ name: String, _ content: String = "content", mode: UInt32 = 0o100644) {
            self.init(bytes: Array(name.utf8), content, mode: mode)
        }

        init(bytes: [UInt8], _ content: String = "content", mode: UInt32 = 0o100644) {
            name = bytes
            self.content = Array(content.utf8)
            self.mode = mode
        }

        static func directory(_ name: String) -> Entry { Entry(name, "", mode: 0o040755) }
        static func link(_ name: String, to target: String) -> Entry { Entry(name, target, mode: 0o120777) }

        func with(_ change: (inout Entry) -> Void) -> Entry {
            var copy = self
            change(&copy)
            return copy
        }
    }

    var entries: [Entry]
    var announcedEntries: Int?
    var comment: [UInt8] = []

    init(_ entries: [Entry]) {
        self.entries = entries
    }

    init(_ entries: Entry...) {
        self.entries = entries
    }

    func bytes() -> [UInt8] {
        var out: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = entry.headerOffset ?? UInt32(out.count)
            let data = entry.method == 8 ? deflated(entry.content) : entry.content
            let size = entry.announcedSize ?? UInt32(entry.content.count)
            let compressed = entry.method == 0 ? size : UInt32(data.count)
            let middle =
                le(entry.flags) + le(entry.method) + le(UInt16(0)) + le(UInt16(0x21))
                + le(entry.crc ?? checksum(entry.content)) + le(compressed) + le(size)
            let localName = entry.localName ?? entry.name
            out += [0x50, 0x4B, 3, 4] + le(UInt16(20)) + middle + le(UInt16(localName.count)) + le(UInt16(0))
            out += localName + data
            directory += [0x50, 0x4B, 1, 2] + le(entry.system << 8 | 20) + le(UInt16(20)) + middle
            directory += le(UInt16(entry.name.count)) + le(UInt16(entry.extra.count)) + le(UInt16(0)) + le(UInt16(0))
            directory += le(UInt16(0)) + le(entry.mode << 16) + le(offset) + entry.name + entry.extra
        }
        let start = out.count
        let count = le(UInt16(truncatingIfNeeded: announcedEntries ?? entries.count))
        out += directory + [0x50, 0x4B, 5, 6] + le(UInt16(0)) + le(UInt16(0)) + count + count
        out += le(UInt32(directory.count)) + le(UInt32(start)) + le(UInt16(comment.count)) + comment
        return out
    }

    private func deflated(_ content: [UInt8]) -> [UInt8] {
        let length = UInt16(content.count)
        return [1] + le(length) + le(~length) + content
    }
}

func le<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

/// The zip checksum, bit by bit, independent of the one under test.
private func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }
    return ~crc
}
