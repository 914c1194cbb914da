import Runtime
import Util

/// Formatted lines of a run that aren't on disk yet.
struct PendingLines {
    let reference: String
    var position: OutputPosition?
    var chunks: [SpoolRecord.Chunk] = []
    var lines = 0
    /// The time of the last of them.
    var last: Timestamp
    private(set) var bytes = 0

    init(reference: String, last: Timestamp) {
        self.reference = reference
        self.last = last
    }

    /// Adds what `write` writes to the lines of a time's day.
    mutating func add(at time: Timestamp, _ write: (inout [UInt8]) -> Void) {
        let day = LogDay(of: time)
        if chunks.last?.day != day { chunks.append(SpoolRecord.Chunk(day: day, lines: 0, bytes: [])) }
        let index = chunks.count - 1
        let before = chunks[index].bytes.count
        write(&chunks[index].bytes)
        chunks[index].lines += 1
        bytes += chunks[index].bytes.count - before
        lines += 1
        last = time
    }
}
