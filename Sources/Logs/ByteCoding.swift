/// Writes numbers and texts one after the other, least byte first.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func add<Number: FixedWidthInteger>(_ number: Number) {
        var rest = number
        for _ in 0..<Number.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= Number(truncatingIfNeeded: 8)
        }
    }

    /// A text of at most 65,535 bytes.
    mutating func add(_ text: String) {
        let part = text.utf8.prefix(Int(UInt16.max))
        add(UInt16(part.count))
        bytes += part
    }
}

/// Reads what ``ByteWriter`` wrote; nil wherever the bytes don't hold it.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private(set) var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var isAtEnd: Bool { index == bytes.endIndex }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number? {
        let count = Number.bitWidth / 8
        guard bytes.endIndex - index >= count else { return nil }
        var value: Number = 0
        for offset in 0..<count { value |= Number(truncatingIfNeeded: bytes[index + offset]) << Number(8 * offset) }
        index += count
        return value
    }

    mutating func text() -> String? {
        guard let count = number(UInt16.self), let range = range(Int(count)) else { return nil }
        return String(validating: bytes[range], as: UTF8.self)
    }

    /// The place of the next so many bytes.
    mutating func range(_ count: Int) -> Range<Int>? {
        guard count >= 0, bytes.endIndex - index >= count else { return nil }
        index += count
        return (index - count)..<index
    }
}

/// The checksum of Ethernet and zip (ISO 3309), eight bytes at a time.
enum Checksum {
    static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { bytes in
            tables.withUnsafeBufferPointer { table in
                var crc = ~UInt32(0)
                var index = 0
                while bytes.count - index >= 8 {
                    let low = crc ^ word(bytes, index)
                    let high = word(bytes, index + 4)
                    crc = table[1792 + Int(low & 0xFF)]
                    crc ^= table[1536 + Int(low >> 8 & 0xFF)]
                    crc ^= table[1280 + Int(low >> 16 & 0xFF)]
                    crc ^= table[1024 + Int(low >> 24)]
                    crc ^= table[768 + Int(high & 0xFF)]
                    crc ^= table[512 + Int(high >> 8 & 0xFF)]
                    crc ^= table[256 + Int(high >> 16 & 0xFF)]
                    crc ^= table[Int(high >> 24)]
                    index += 8
                }
                while index < bytes.count {
                    crc = table[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ (crc >> 8)
                    index += 1
                }
                return ~crc
            }
        }
    }

    private static func word(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> UInt32 {
        var word: UInt32 = 0
        for offset in 0..<4 { word |= UInt32(bytes[index + offset]) << UInt32(8 * offset) }
        return word
    }

    private static let tables: [UInt32] = {
        var tables: [UInt32] = []
        for index in 0..<256 {
            var entry = UInt32(index)
            for _ in 0..<8 { entry = entry & 1 == 1 ? 0xEDB8_8320 ^ (entry >> 1) : entry >> 1 }
            tables.append(entry)
        }
        for index in 256..<2048 {
            let before = tables[index - 256]
            tables.append(tables[Int(before & 0xFF)] ^ (before >> 8))
        }
        return tables
    }()
}
