/// A compiled zone of the time-zone database: the TZif format, version 2 or later (RFC 9636).
struct TimeZoneFile {
    private(set) var initialOffset: Int64 = 0
    /// In ascending order of time.
    private(set) var changes: [(time: Int64, offset: Int64)] = []

    /// What a file doesn't keep to.
    struct Malformed: Error {
        let reason: String
    }

    /// The last year that a ``Timestamp`` reaches, and one more.
    private static let lastYear: Int64 = 2263
    /// The first one, and one less.
    private static let firstYear: Int64 = 1676

    /// Reads a file's bytes.
    init(_ bytes: [UInt8]) throws(Malformed) {
        var reader = Reader(bytes: bytes)
        let old = try reader.header()
        guard old.version >= UInt8(ascii: "2") else { throw Malformed(reason: "it is of version 1") }
        try reader.skip(old.bodySize(timeSize: 4))
        let header = try reader.header()
        // Files under "right/" count leap seconds; timestamps here don't.
        guard header.leapSeconds == 0 else { throw Malformed(reason: "it counts leap seconds") }
        guard header.types > 0 else { throw Malformed(reason: "it has no offsets") }

        var times: [Int64] = []
        for _ in 0..<header.transitions { times.append(try reader.integer(bytes: 8)) }
        guard zip(times, times.dropFirst()).allSatisfy(<) else { throw Malformed(reason: "its times are out of order") }
        let indices = try reader.take(header.transitions)
        var offsets: [Int64] = []
        for _ in 0..<header.types {
            let offset = try reader.integer(bytes: 4)
            guard (-93_600...93_600).contains(offset) else { throw Malformed(reason: "an offset is over 26 hours") }
            offsets.append(offset)
            try reader.skip(2)
        }
        guard indices.allSatisfy({ Int($0) < offsets.count }) else { throw Malformed(reason: "an offset is missing") }
        try reader.skip(header.abbreviations + header.standardFlags + header.universalFlags)

        initialOffset = offsets[0]
        for (time, index) in zip(times, indices) {
            let isBeyond = time < TimeZoneRules.distantPast || time > TimeZoneRules.distantFuture
            guard !isBeyond else { throw Malformed(reason: "a time is beyond all calendars") }
            changes.append((time, offsets[Int(index)]))
        }
        try layOut(footer: reader.footer())
    }

    /// Adds the changes that the footer foretells.
    private mutating func layOut(footer: ArraySlice<UInt8>) throws(Malformed) {
        guard !footer.isEmpty else { return }
        guard let rule = POSIXTimeZone(footer) else { throw Malformed(reason: "its footer is no POSIX rule") }
        let last = changes.last?.time
        guard rule.daylight != nil else {
            // The last listed change already leads there, unless there is none.
            if last == nil { initialOffset = rule.standardOffset }
            return
        }
        let lastDay = last.map { CivilDate(daysSince1970: floorDivide($0, 86_400).quotient).year }
        for year in (lastDay ?? Self.firstYear)...max(lastDay ?? Self.firstYear, Self.lastYear) {
            for change in rule.changes(inYear: year) where change.time > last ?? TimeZoneRules.distantPast {
                changes.append(change)
            }
        }
    }
}

extension TimeZoneFile {
    private struct Header {
        var version: UInt8
        var universalFlags: Int
        var standardFlags: Int
        var leapSeconds: Int
        var transitions: Int
        var types: Int
        var abbreviations: Int

        func bodySize(timeSize: Int) -> Int {
            transitions * (timeSize + 1) + types * 6 + abbreviations + leapSeconds * (timeSize + 4)
                + standardFlags + universalFlags
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
            guard count >= 0, count <= bytes.count - position else { throw Malformed(reason: "it is cut short") }
            defer { position += count }
            return bytes[position..<position + count]
        }

        mutating func skip(_ count: Int) throws(Malformed) {
            _ = try take(count)
        }

        /// A signed integer, its most significant byte first.
        mutating func integer(bytes count: Int) throws(Malformed) -> Int64 {
            var value: UInt64 = 0
            for byte in try take(count) { value = value << 8 | UInt64(byte) }
            let unused = UInt64(64 - 8 * count)
            return Int64(bitPattern: value << unused) >> Int64(unused)
        }

        mutating func header() throws(Malformed) -> Header {
            guard try take(4).elementsEqual("TZif".utf8) else { throw Malformed(reason: "it is no TZif file") }
            let version = try take(1).first ?? 0
            try skip(15)
            var counts: [Int] = []
            for _ in 0..<6 { counts.append(Int(try integer(bytes: 4))) }
            // More than any file within the size limit could hold, and far from overflowing a sum.
            guard counts.allSatisfy({ (0...1_000_000).contains($0) }) else {
                throw Malformed(reason: "it is cut short")
            }
            return Header(
                version: version,
                universalFlags: counts[0],
                standardFlags: counts[1],
                leapSeconds: counts[2],
                transitions: counts[3],
                types: counts[4],
                abbreviations: counts[5]
            )
        }

        /// The text between two line ends.
        mutating func footer() throws(Malformed) -> ArraySlice<UInt8> {
            let newline = UInt8(ascii: "\n")
            guard try take(1).first == newline, let end = bytes[position...].firstIndex(of: newline) else {
                throw Malformed(reason: "its footer is missing")
            }
            return bytes[position..<end]
        }
    }
}
