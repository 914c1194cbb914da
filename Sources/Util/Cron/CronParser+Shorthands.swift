extension CronParser {
    private static let shorthands: [String: String] = [
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
        "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    ]

    /// Reads `@daily` and the like, and `@every DURATION`.
    mutating func shorthand() throws(CronError) -> CronExpression.Rule {
        let start = position
        skipWord()
        let word = start..<position
        let name = String(decoding: bytes[word], as: UTF8.self).lowercased()
        skipSpace()
        if name == "@every" { return .every(try period()) }
        guard let meaning = Self.shorthands[name] else {
            throw error(
                .unknownShorthand,
                at: start,
                "\(quoted(word)) is unknown: allowed are @yearly, @annually, @monthly, @weekly, @daily, @midnight, "
                    + "@hourly and @every DURATION"
            )
        }
        guard position == bytes.count else {
            throw error(.fieldCount, at: position, "nothing may follow \(quoted(word))")
        }
        var parser = try CronParser(meaning, seed: nil)
        return try parser.rule()
    }

    /// Reads a duration of whole seconds.
    private mutating func period() throws(CronError) -> Int64 {
        let start = position
        var end = start
        skipWord()
        end = position
        skipSpace()
        guard position == bytes.count else {
            throw error(
                .invalidInterval,
                at: position,
                "one duration follows @every, such as 1h30m, without space in it"
            )
        }
        guard end > start else {
            throw error(.invalidInterval, at: start, "a duration is missing after @every, such as 1h30m")
        }
        let duration: Duration
        do {
            duration = try GoDuration.parse(String(decoding: bytes[start..<end], as: UTF8.self), minimum: .seconds(1))
        } catch {
            throw self.error(.invalidInterval, at: start, error.message)
        }
        guard duration.components.attoseconds == 0 else {
            throw error(.invalidInterval, at: start, "duration \(quoted(start..<end)) isn't one of whole seconds")
        }
        return duration.components.seconds
    }
}
