import Model
import Runtime
import Util

/// A place in a bot's spool: between two records.
struct SpoolPlace: Hashable, Comparable, Sendable {
    var segment: UInt64
    var offset: Int

    static let beginning = SpoolPlace(segment: 0, offset: 0)

    static func < (left: SpoolPlace, right: SpoolPlace) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}

/// What is about to be added to an object. Noted before, so that after a death at any instant it can be found out whether it was.
struct StoreIntent: Hashable, Sendable {
    var day: LogDay
    /// The object's size before; nil when it wasn't there.
    var base: Int64?
    /// The lines of that day up to here.
    var end: SpoolPlace
}

/// What is known of a run of a bot.
struct SpooledRun: Hashable, Sendable {
    /// Its own name on its platform.
    var reference: String
    var createdAt: Timestamp
    /// Since when it ran when it was followed last; a platform may start the same run again.
    var since: Timestamp
    /// Where in its output its lines end that are kept.
    var position: OutputPosition?
    /// The record that was the last one when the position was noted; a later record of the run has a later position.
    var asOf: UInt64
    /// When its output was read to its end; nil before.
    var endedAt: Timestamp?
    /// The record with its first lines, 0 before there is one.
    var firstRecord: UInt64 = 0
    /// Where in the object store its first line is.
    var start: ObjectPlace?

    struct ObjectPlace: Hashable, Sendable {
        var day: LogDay
        var offset: Int64
    }
}

/// All that a bot's spool knows beside the lines themselves.
struct SpoolState: Hashable, Sendable {
    struct Dropped: Hashable, Sendable {
        var lines = 0
        var last = Timestamp(nanosecondsSince1970: 0)
        /// The record that was the last one then: the next one has the mark in it.
        var asOf: UInt64 = 0
    }

    /// How many runs, days and such are remembered: all of it has to fit into a slot of the file.
    static let mostRuns = 10
    static let mostDays = 8
    static let longestReference = 300

    var sequence: UInt64 = 0
    var lastRecord: UInt64 = 0
    /// All lines before this place are in the object store.
    var stored = SpoolPlace.beginning
    /// Days whose lines are in the object store up to a later place.
    var ahead: [LogDay: SpoolPlace] = [:]
    /// The size of a day's object when ours were added last.
    var sizes: [LogDay: Int64] = [:]
    var intent: StoreIntent?
    var dropped = Dropped()
    var runs: [SpooledRun] = []
    /// Unknown runs made until then were known once and read to their end.
    var forgotten = Timestamp(nanosecondsSince1970: .min)

    func storedEnd(of day: LogDay) -> SpoolPlace { max(stored, ahead[day] ?? stored) }

    func index(of reference: String) -> Int? { runs.firstIndex { $0.reference == reference } }

    /// Takes in the place after a record's lines.
    /// - Parameter known: the state on disk, which may have been written after the record, with a later place.
    mutating func note(_ position: OutputPosition, of record: PlacedRecord, unlessAfter known: SpoolState) {
        let at = index(of: record.reference) ?? runs.count
        if at == runs.count {
            let time = Timestamp(nanosecondsSince1970: 0)
            runs.append(SpooledRun(reference: record.reference, createdAt: time, since: time, asOf: record.number))
        }
        if let before = known.index(of: record.reference), known.runs[before].asOf >= record.number,
            known.runs[before].position != nil
        {
            return
        }
        runs[at].position = position
        runs[at].asOf = record.number
        if runs[at].firstRecord == 0 { runs[at].firstRecord = record.number }
    }

    /// Lets go of the oldest runs and days beyond what can be remembered.
    mutating func trim() {
        while runs.count > Self.mostRuns {
            let ended = runs.indices.filter { runs[$0].endedAt != nil }
            let oldest = (ended.isEmpty ? Array(runs.indices) : ended).min { runs[$0].createdAt < runs[$1].createdAt }
            guard let oldest else { return }
            forgotten = max(forgotten, runs.remove(at: oldest).createdAt)
        }
        ahead = ahead.filter { $0.value > stored }
        while sizes.count > Self.mostDays, let first = sizes.keys.min() { sizes[first] = nil }
    }
}

extension SpoolState {
    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.add(sequence)
        writer.add(lastRecord)
        writer.add(stored)
        writer.add(UInt16(ahead.count))
        for (day, place) in ahead {
            writer.add(day.number)
            writer.add(place)
        }
        writer.add(UInt16(sizes.count))
        for (day, size) in sizes {
            writer.add(day.number)
            writer.add(size)
        }
        writer.add(UInt8(intent == nil ? 0 : 1))
        if let intent {
            writer.add(intent.day.number)
            writer.add(intent.base ?? -1)
            writer.add(intent.end)
        }
        writer.add(Int64(dropped.lines))
        writer.add(dropped.last.nanosecondsSince1970)
        writer.add(dropped.asOf)
        writer.add(forgotten.nanosecondsSince1970)
        writer.add(UInt16(runs.count))
        for run in runs { writer.add(run) }
        return writer.bytes
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        var reader = ByteReader(bytes)
        guard let sequence = reader.number(UInt64.self), let lastRecord = reader.number(UInt64.self),
            let stored = reader.place(), let countAhead = reader.number(UInt16.self)
        else { return nil }
        self.sequence = sequence
        self.lastRecord = lastRecord
        self.stored = stored
        for _ in 0..<countAhead {
            guard let day = reader.number(Int32.self), let place = reader.place() else { return nil }
            ahead[LogDay(number: day)] = place
        }
        guard let countSizes = reader.number(UInt16.self) else { return nil }
        for _ in 0..<countSizes {
            guard let day = reader.number(Int32.self), let size = reader.number(Int64.self) else { return nil }
            sizes[LogDay(number: day)] = size
        }
        guard let hasIntent = reader.number(UInt8.self) else { return nil }
        if hasIntent == 1 {
            guard let day = reader.number(Int32.self), let base = reader.number(Int64.self), let end = reader.place()
            else { return nil }
            intent = StoreIntent(day: LogDay(number: day), base: base < 0 ? nil : base, end: end)
        }
        guard let lines = reader.number(Int64.self), let last = reader.number(Int64.self),
            let asOf = reader.number(UInt64.self), let forgotten = reader.number(Int64.self),
            let countRuns = reader.number(UInt16.self)
        else { return nil }
        dropped = Dropped(lines: Int(lines), last: Timestamp(nanosecondsSince1970: last), asOf: asOf)
        self.forgotten = Timestamp(nanosecondsSince1970: forgotten)
        for _ in 0..<countRuns {
            guard let run = reader.run() else { return nil }
            runs.append(run)
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension ByteWriter {
    fileprivate mutating func add(_ place: SpoolPlace) {
        add(place.segment)
        add(Int64(place.offset))
    }

    fileprivate mutating func add(_ run: SpooledRun) {
        add(run.reference)
        add(run.createdAt.nanosecondsSince1970)
        add(run.since.nanosecondsSince1970)
        add(run.position?.text ?? "")
        add(run.asOf)
        add(run.endedAt?.nanosecondsSince1970 ?? .min)
        add(run.firstRecord)
        add(run.start?.day.number ?? .min)
        add(run.start?.offset ?? 0)
    }
}

extension ByteReader {
    fileprivate mutating func place() -> SpoolPlace? {
        guard let segment = number(UInt64.self), let offset = number(Int64.self), offset >= 0 else { return nil }
        return SpoolPlace(segment: segment, offset: Int(offset))
    }

    fileprivate mutating func run() -> SpooledRun? {
        guard let reference = text(), let createdAt = number(Int64.self), let since = number(Int64.self),
            let position = text(), let asOf = number(UInt64.self), let endedAt = number(Int64.self),
            let firstRecord = number(UInt64.self), let day = number(Int32.self), let offset = number(Int64.self)
        else { return nil }
        return SpooledRun(
            reference: reference,
            createdAt: Timestamp(nanosecondsSince1970: createdAt),
            since: Timestamp(nanosecondsSince1970: since),
            position: position.isEmpty ? nil : OutputPosition(text: position),
            asOf: asOf,
            endedAt: endedAt == .min ? nil : Timestamp(nanosecondsSince1970: endedAt),
            firstRecord: firstRecord,
            start: day == .min ? nil : SpooledRun.ObjectPlace(day: LogDay(number: day), offset: offset)
        )
    }
}
