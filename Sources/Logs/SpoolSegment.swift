/// A file of a bot's spool that only grows: records one after the other.
struct SpoolSegment: Sendable {
    var number: UInt64
    /// Up to where it holds whole records.
    var size: Int

    static func name(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits + ".seg"
    }

    static func number(of name: String) -> UInt64? {
        guard name.utf8.count == 20, name.hasSuffix(".seg") else { return nil }
        return UInt64(name.dropLast(4), radix: 16)
    }

    /// Goes through the records of a segment's bytes, from a place between two of them.
    /// - Returns: where the last whole one ends.
    @discardableResult
    static func forEachRecord(
        in bytes: [UInt8],
        from start: Int = 0,
        _ body: (PlacedRecord) -> Void
    ) -> Int {
        var offset = start
        while let record = PlacedRecord(in: bytes, at: offset) {
            body(record)
            offset = record.range.upperBound
        }
        return offset
    }
}
