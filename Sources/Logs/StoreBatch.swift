import Model
import Util

/// Lines of one day of a bot that are to be added to that day's object.
struct StoreBatch: Sendable {
    /// As many segments as are stored at once at most: what an object store's server copies for each addition is worth it then.
    static let mostSegments = 64

    let folder: String
    let day: LogDay
    /// The lines of that day from here on.
    let start: SpoolPlace
    let end: SpoolPlace
    /// The segments from where the lines of any day aren't all stored, to the end.
    let segments: [SpoolSegment]
    /// Where the first line that isn't stored is, whatever its day.
    let stored: SpoolPlace
    /// How far days are stored that are ahead of others.
    let ahead: [LogDay: SpoolPlace]
    /// The records that runs begin with whose place in the object store isn't known yet.
    let firstRecords: Set<UInt64>
    let intent: StoreIntent?

    /// What is to be stored next; nil when there is nothing.
    init?(_ disk: borrowing SpoolDisk) throws(LogsError) {
        let state = disk.state
        var segments = disk.segments.filter { $0.number >= state.stored.segment }
        if let end = state.intent?.end {
            segments = segments.filter { $0.number <= end.segment }
            if let last = segments.indices.last, segments[last].number == end.segment {
                segments[last].size = min(segments[last].size, end.offset)
            }
        } else {
            segments = Array(segments.prefix(Self.mostSegments))
        }
        guard let last = segments.last else { return nil }
        folder = disk.folder
        self.segments = segments
        stored = state.stored
        ahead = state.ahead
        firstRecords = Set(state.runs.filter { $0.start == nil }.map(\.firstRecord)).subtracting([0])
        intent = state.intent
        end = state.intent?.end ?? SpoolPlace(segment: last.number, offset: last.size)
        if let intent = state.intent {
            day = intent.day
        } else {
            let stored = stored
            let ahead = ahead
            var first: LogDay?
            for segment in segments where first == nil {
                try Self.read(folder, segment, from: stored) { place, record in
                    guard first == nil else { return }
                    first = record.chunks.first { place >= (ahead[$0.day] ?? stored) }?.day
                }
            }
            guard let first else { return nil }
            day = first
        }
        start = max(stored, ahead[day] ?? stored)
    }

    /// The lines of the day, segment by segment.
    struct Lines {
        var bytes: [UInt8] = []
        /// Where in the bytes the first lines of runs are, by the number of their record.
        var starts: [UInt64: Int] = [:]
        /// The first lines of another day that aren't stored.
        var other: SpoolPlace?
    }

    /// The lines of the day in the segment of an index.
    func lines(_ index: Int) throws(LogsError) -> Lines {
        var lines = Lines()
        let segment = segments[index]
        let bytes = try Self.read(folder, segment, from: stored) { _, _ in }
        SpoolSegment.forEachRecord(in: bytes, from: Self.offset(stored, in: segment)) { record in
            let place = SpoolPlace(segment: segment.number, offset: record.range.lowerBound)
            for chunk in record.chunks {
                if chunk.day == day {
                    guard place >= start else { continue }
                    if firstRecords.contains(record.number), lines.starts[record.number] == nil {
                        lines.starts[record.number] = lines.bytes.count
                    }
                    lines.bytes += bytes[chunk.range]
                } else if lines.other == nil, place >= (ahead[chunk.day] ?? stored) {
                    lines.other = place
                }
            }
        }
        return lines
    }

    private static func offset(_ place: SpoolPlace, in segment: SpoolSegment) -> Int {
        segment.number == place.segment ? place.offset : 0
    }

    @discardableResult
    private static func read(
        _ folder: String,
        _ segment: SpoolSegment,
        from stored: SpoolPlace,
        _ body: (SpoolPlace, PlacedRecord) -> Void
    ) throws(LogsError) -> [UInt8] {
        let path = folder + "/" + SpoolSegment.name(segment.number)
        guard var bytes = try SpoolFile.read(path), bytes.count >= segment.size else {
            throw LogsError(.damaged, "\(path) is missing, or shorter than the \(segment.size) bytes written")
        }
        // Records that are written meanwhile belong to the next batch.
        bytes.removeSubrange(segment.size...)
        SpoolSegment.forEachRecord(in: bytes, from: offset(stored, in: segment)) { record in
            body(SpoolPlace(segment: segment.number, offset: record.range.lowerBound), record)
        }
        return bytes
    }
}
