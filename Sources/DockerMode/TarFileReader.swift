import Model

/// Reads the one file out of the tar that an engine gives of a path, in pieces as they come; nothing is trusted.
///
/// The formats are POSIX.1-2001 (`x` and `g` headers before a file's own) and GNU's, as Docker and Podman write them. Anything
/// but one plain file is refused: a symlink, a folder, a device, a sparse file.
struct TarFileReader {
    /// Why there is no file to be had.
    enum Failure: Error, Sendable, Hashable {
        /// It is there and isn't wanted.
        case refused(String)
        /// That is no tar, or not a whole one.
        case broken(String)
    }

    private enum Place {
        case header
        /// Records about what follows: so many bytes, and so many to the end of the block.
        case records(Int, padding: Int, areRead: Bool)
        case content(Int)
        /// Zeros to the end: of the block, and those that end a tar.
        case end
    }

    private static let block = 512
    /// Extended attributes come in records.
    private static let longestRecords = 1 << 20
    /// GNU tar fills up to 10 KiB.
    private static let longestEnd = 64 << 10

    private let name: [UInt8]
    private let limit: Int
    private var place = Place.header
    /// Bytes that aren't enough yet for what is read next.
    private var pending: [UInt8] = []
    private var content: [UInt8] = []
    private var announcedSize: Int?
    private var endLength = 0

    /// - Parameters:
    ///   - name: the file's own name. Podman follows a link that stays in its volume and gives what it leads to, by that one's name.
    ///   - limit: the most bytes the file may have.
    init(name: String, limit: Int) {
        self.name = Array(name.utf8)
        self.limit = limit
    }

    /// Takes a piece of the tar.
    mutating func add(_ piece: [UInt8]) throws(Failure) {
        var rest = piece[...]
        while !rest.isEmpty {
            switch place {
            case .header:
                guard let header = take(TarFileReader.block, from: &rest) else { return }
                try read(header)
            case .records(let length, let padding, let areRead):
                guard let records = take(length + padding, from: &rest) else { return }
                if areRead { try read(records: records.prefix(length)) }
                place = .header
            case .content(let missing):
                let part = rest.prefix(missing)
                content += part
                rest = rest.dropFirst(part.count)
                place = part.count == missing ? .end : .content(missing - part.count)
            case .end:
                endLength += rest.count
                guard rest.allSatisfy({ $0 == 0 }), endLength <= TarFileReader.longestEnd else {
                    throw .broken("something follows its file")
                }
                return
            }
        }
    }

    /// The file, after the last piece.
    func finish() throws(Failure) -> [UInt8] {
        guard case .end = place else { throw .broken("it is cut") }
        return content
    }

    /// So many bytes, once they are there.
    private mutating func take(_ count: Int, from rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        let part = rest.prefix(count - pending.count)
        pending += part
        rest = rest.dropFirst(part.count)
        guard pending.count == count else { return nil }
        defer { pending = [] }
        return pending
    }

    private mutating func read(_ header: [UInt8]) throws(Failure) {
        // Docker leaves sockets out: a tar of nothing.
        guard header.contains(where: { $0 != 0 }) else { throw .refused("is no file") }
        let sum = header.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 0x20 : Int(header[$1])) }
        guard TarFileReader.number(header[148..<156]) == sum else { throw .broken("a header's checksum is wrong") }
        guard let size = TarFileReader.number(header[124..<136]) else { throw .broken("a header has no size") }
        let type = header[156]
        switch type {
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            guard size <= TarFileReader.longestRecords else { throw .broken("\(size) bytes of records") }
            let padding = (TarFileReader.block - size % TarFileReader.block) % TarFileReader.block
            place = size == 0 ? .header : .records(size, padding: padding, areRead: type == UInt8(ascii: "x"))
        case UInt8(ascii: "0"), 0:
            let size = announcedSize ?? size
            guard header.prefix(100).prefix(while: { $0 != 0 }).elementsEqual(name) else {
                throw .refused("is a link, not a file")
            }
            guard size <= limit else { throw .refused("has \(size) bytes; allowed are \(limit)") }
            content.reserveCapacity(size)
            place = size == 0 ? .end : .content(size)
        case UInt8(ascii: "1"), UInt8(ascii: "2"): throw .refused("is a link, not a file")
        case UInt8(ascii: "5"): throw .refused("is a folder, not a file")
        case UInt8(ascii: "S"): throw .refused("is a sparse file")
        default: throw .refused("is no file")
        }
    }

    /// `LENGTH KEY=VALUE\n`, the length being that of the whole record.
    private mutating func read(records: ArraySlice<UInt8>) throws(Failure) {
        var rest = records
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), let length = TarFileReader.decimal(rest[..<space]),
                length > space - rest.startIndex + 1, length <= rest.count
            else { throw .broken("a record's length is wrong") }
            let record = rest[(space + 1)..<(rest.startIndex + length)]
            rest = rest.dropFirst(length)
            guard record.last == 0x0A, let sign = record.firstIndex(of: 0x3D) else {
                throw .broken("a record isn't one")
            }
            let key = String(decoding: record[..<sign], as: UTF8.self)
            if key.hasPrefix("GNU.sparse.") { throw .refused("is a sparse file") }
            guard key == "size" else { continue }
            guard let size = TarFileReader.decimal(record[(sign + 1)...].dropLast()) else {
                throw .broken("a record's size is no number")
            }
            announcedSize = size
        }
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    /// Octal digits between spaces or zeros, or GNU's big-endian number after a first bit.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            guard first == 0x80 else { return nil }
            var value = 0
            for byte in field.dropFirst() {
                guard value <= Int.max >> 8 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let text = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
        guard !text.isEmpty, text.count <= 20 else { return nil }
        return Int(String(decoding: text, as: UTF8.self), radix: 8).flatMap { $0 >= 0 ? $0 : nil }
    }
}
