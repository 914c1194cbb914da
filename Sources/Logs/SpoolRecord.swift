import Runtime

/// Some lines of a run and the place in its output after them: kept together, so that there is never one without the other.
///
/// On disk: length and checksum of what follows, four bytes each, then the fields in their order.
struct SpoolRecord: Equatable {
    /// Formatted lines of one day.
    struct Chunk: Equatable {
        var day: LogDay
        var lines: Int
        var bytes: [UInt8]
    }

    static let headerSize = 8
    /// More than a run's lines between two writes can have; a length beyond it is damage.
    static let longest = 512 << 20

    /// Counts up within a bot.
    var number: UInt64
    /// The run's own name on its platform.
    var reference: String
    /// nil when the lines are not of the run itself and its place stays as it is.
    var position: OutputPosition?
    var chunks: [Chunk]

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.bytes.reserveCapacity(128 + chunks.reduce(0) { $0 + $1.bytes.count + 16 })
        writer.add(UInt64(0))
        writer.add(number)
        writer.add(reference)
        writer.add(position?.text ?? "")
        writer.add(UInt32(chunks.count))
        for chunk in chunks {
            writer.add(chunk.day.number)
            writer.add(UInt32(chunk.lines))
            writer.add(UInt32(chunk.bytes.count))
            writer.bytes += chunk.bytes
        }
        var header = ByteWriter()
        header.add(UInt32(writer.bytes.count - Self.headerSize))
        header.add(Checksum.of(writer.bytes[Self.headerSize...]))
        writer.bytes.replaceSubrange(0..<Self.headerSize, with: header.bytes)
        return writer.bytes
    }
}

/// A record where it lies in a segment's bytes; its lines aren't copied.
struct PlacedRecord {
    struct Chunk {
        var day: LogDay
        var lines: Int
        var range: Range<Int>
    }

    /// From its header to its end, as offsets in the segment.
    var range: Range<Int>
    var number: UInt64
    var reference: String
    var position: OutputPosition?
    var chunks: [Chunk]

    /// Reads the record at an offset; nil when there is no whole one.
    init?(in segment: [UInt8], at start: Int) {
        let body = start + SpoolRecord.headerSize
        guard start >= 0, body <= segment.count else { return nil }
        var header = ByteReader(segment[start..<body])
        guard let length = header.number(UInt32.self), let checksum = header.number(UInt32.self),
            length <= SpoolRecord.longest, Int(length) <= segment.count - body
        else { return nil }
        let content = segment[body..<(body + Int(length))]
        guard Checksum.of(content) == checksum else { return nil }
        var reader = ByteReader(content)
        guard let number = reader.number(UInt64.self), let reference = reader.text(), let position = reader.text(),
            let count = reader.number(UInt32.self)
        else { return nil }
        self.number = number
        self.reference = reference
        self.position = position.isEmpty ? nil : OutputPosition(text: position)
        range = start..<content.endIndex
        chunks = []
        for _ in 0..<count {
            guard let day = reader.number(Int32.self), let lines = reader.number(UInt32.self),
                let size = reader.number(UInt32.self), let range = reader.range(Int(size))
            else { return nil }
            chunks.append(Chunk(day: LogDay(number: day), lines: Int(lines), range: range))
        }
        guard reader.isAtEnd else { return nil }
    }
}
