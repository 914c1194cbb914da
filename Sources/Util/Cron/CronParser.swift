/// Reads an expression's bytes from left to right.
struct CronParser {
    let bytes: [UInt8]
    let seed: String?
    var position = 0

    init(_ text: String, seed: String?) throws(CronError) {
        guard text.utf8.count <= CronExpression.longestText else {
            throw CronError(
                .tooLong,
                column: CronExpression.longestText + 1,
                "a cron expression has at most \(CronExpression.longestText) bytes"
            )
        }
        self.bytes = Array(text.utf8)
        self.seed = seed
        skipSpace()
        guard position < bytes.count else {
            throw CronError(
                .empty,
                column: 1,
                "there is no cron expression: write five fields, six with seconds first, or @daily and the like"
            )
        }
    }

    /// Takes `TZ=ZONE` or `CRON_TZ=ZONE` off the front.
    mutating func zonePrefix(_ zones: TimeZoneDatabase) throws(CronError) -> TimeZoneRules? {
        let prefix = bytes[position...]
        let length = prefix.starts(with: "TZ=".utf8) ? 3 : prefix.starts(with: "CRON_TZ=".utf8) ? 8 : 0
        guard length > 0 else { return nil }
        position += length
        let start = position
        skipWord()
        guard position > start else {
            throw error(.unknownZone, at: start, "a time zone is missing after =: write UTC or Europe/Berlin, say")
        }
        let zone: TimeZoneRules
        do {
            zone = try zones.rules(named: String(decoding: bytes[start..<position], as: UTF8.self))
        } catch {
            throw error.at(column: column(start))
        }
        skipSpace()
        guard position < bytes.count else {
            throw error(.fieldCount, at: bytes.count, "after the time zone, a cron expression is missing")
        }
        return zone
    }

    /// Reads the rest.
    mutating func rule() throws(CronError) -> CronExpression.Rule {
        if bytes[position] == UInt8(ascii: "@") { return try shorthand() }
        let words = wordRanges()
        let fields: [CronField]
        switch words.count {
        case 5: fields = CronField.five
        case 6: fields = CronField.six
        default:
            throw error(
                .fieldCount,
                at: words.count > 6 ? words[6].lowerBound : words.last?.upperBound ?? bytes.count,
                "there \(words.count == 1 ? "is 1 field" : "are \(words.count) fields"): allowed are five (minute, hour, "
                    + "day of the month, month, day of the week), or six with seconds first"
            )
        }
        var result = CronFields()
        for (field, word) in zip(fields, words) {
            try read(field, in: word, into: &result)
        }
        guard result.everFires else {
            let days = words[words.count - 3]
            throw error(.neverFires, at: days.lowerBound, "it never fires: in the months given, no day fits")
        }
        return .fields(result)
    }

    // MARK: Words

    private func wordRanges() -> [Range<Int>] {
        var scanner = self
        var words: [Range<Int>] = []
        // One more than allowed tells as much as all of them.
        while scanner.position < bytes.count, words.count < 128 {
            let start = scanner.position
            scanner.skipWord()
            words.append(start..<scanner.position)
            scanner.skipSpace()
        }
        return words
    }

    mutating func skipWord() {
        while position < bytes.count, spaceLength == 0 { position += 1 }
    }

    mutating func skipSpace() {
        while position < bytes.count {
            let length = spaceLength
            guard length > 0 else { return }
            position += length
        }
    }

    /// How many bytes of space are at the position: Unicode's White_Space, as Go's `strings.Fields` splits.
    private var spaceLength: Int {
        let byte = bytes[position]
        switch byte {
        case 0x20, 0x09...0x0D: return 1
        case 0xC2, 0xE1...0xE3: break
        default: return 0
        }
        guard position + 1 < bytes.count else { return 0 }
        let second = bytes[position + 1]
        // U+0085 and U+00A0.
        if byte == 0xC2 { return second == 0x85 || second == 0xA0 ? 2 : 0 }
        guard position + 2 < bytes.count else { return 0 }
        switch (byte, second, bytes[position + 2]) {
        // U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F and U+3000.
        case (0xE1, 0x9A, 0x80), (0xE2, 0x80, 0x80...0x8A), (0xE2, 0x80, 0xA8...0xA9), (0xE2, 0x80, 0xAF),
            (0xE2, 0x81, 0x9F), (0xE3, 0x80, 0x80):
            return 3
        default: return 0
        }
    }

    // MARK: Errors

    /// The column of a byte, from 1.
    func column(_ position: Int) -> Int {
        bytes[..<position].count { $0 & 0xC0 != 0x80 } + 1
    }

    func error(_ code: CronError.Code, at position: Int, _ message: String) -> CronError {
        CronError(code, column: column(position), message)
    }

    /// What is written there, for a message.
    func quoted(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self).quotedForError
    }
}
