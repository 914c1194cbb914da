import Model
import Runtime

/// What is in a bot's spool, seen without having it: another process may be at work there.
struct SpoolView {
    struct Line {
        var line: LogLine
        var day: LogDay
        var reference: String
    }

    /// With the places of all runs.
    private(set) var state: SpoolState
    /// Lines that aren't in the object store.
    private(set) var lines: [Line] = []

    /// - Returns: nil when there is no spool of that bot.
    init?(spool path: String, id: BotID) throws(LogsError) {
        let folder = path + "/bots/" + Spool.folderName(of: id)
        let file = StateFile(path: folder + "/state")
        // Segments are removed as their lines are stored; then the state says so.
        for _ in 0..<100 {
            guard let before = try file.read() else { return nil }
            state = before
            lines = []
            guard try read(folder), let after = try file.read(), after.isStoredAs(before) else { continue }
            return
        }
        throw LogsError(.spoolUnusable, "\(folder) changes faster than it can be read")
    }

    /// - Returns: false when a segment was removed meanwhile.
    private mutating func read(_ folder: String) throws(LogsError) -> Bool {
        let known = state
        let numbers = (try SpoolFile.names(in: folder) ?? []).compactMap(SpoolSegment.number(of:)).sorted()
        var found: [Line] = []
        var noted = known
        for number in numbers where number >= known.stored.segment {
            guard let bytes = try SpoolFile.read(folder + "/" + SpoolSegment.name(number)) else { return false }
            let start = number == known.stored.segment ? known.stored.offset : 0
            // What isn't whole at the end is being written.
            SpoolSegment.forEachRecord(in: bytes, from: min(start, bytes.count)) { record in
                let place = SpoolPlace(segment: number, offset: record.range.lowerBound)
                for chunk in record.chunks where place >= known.storedEnd(of: chunk.day) {
                    for line in bytes[chunk.range].split(separator: 0x0A) {
                        found.append(Line(line: LogLine(line), day: chunk.day, reference: record.reference))
                    }
                }
                if let position = record.position { noted.note(position, of: record, unlessAfter: known) }
            }
        }
        state = noted
        lines = found
        return true
    }
}

extension SpoolState {
    /// Whether the same lines were in the object store when this was written.
    func isStoredAs(_ other: SpoolState) -> Bool {
        stored == other.stored && ahead == other.ahead && intent == other.intent && sizes == other.sizes
    }
}
