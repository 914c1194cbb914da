import Glibc
import Model
import Runtime
import Util

/// The files of one bot's spool, and what is in them.
struct SpoolDisk {
    let folder: String
    let budget: SpoolBudget
    /// With an object store, segments go once they are stored; without, the oldest go once there are too many.
    let ring: Int?
    /// From so many bytes on a segment isn't added to any more.
    let segmentSize: Int

    private(set) var state: SpoolState
    private(set) var segments: [SpoolSegment] = []
    /// Bytes of lines that aren't in the object store.
    private(set) var unstored = 0
    /// Since when there are some.
    private(set) var unstoredSince: Timestamp?
    /// What was found damaged when the spool was opened.
    private(set) var damage: [String] = []
    /// The last failure to write, for the log.
    var failure: LogsError?
    private var isDropping = false
    private var format = LineFormat()

    private var stateFile: StateFile { StateFile(path: folder + "/state") }
    var held: Int { segments.reduce(0) { $0 + $1.size } }

    func path(_ segment: UInt64) -> String { folder + "/" + SpoolSegment.name(segment) }

    /// Opens a bot's folder as whatever process left it, or makes it.
    init(
        folder: String,
        budget: SpoolBudget,
        options: Spool.Options,
        now: Timestamp
    ) throws(LogsError) {
        self.folder = folder
        self.budget = budget
        ring = options.ring
        segmentSize = options.segmentSize
        state = SpoolState()
        if let known = try stateFile.read() {
            state = known
        } else {
            // Segments without a state are of a spool whose making or whose disk failed: they are read from their beginning.
            state.sequence = 1
            try stateFile.make(state)
        }
        try load(now)
    }

    private mutating func load(_ now: Timestamp) throws(LogsError) {
        let names = try SpoolFile.names(in: folder) ?? []
        let numbers = names.compactMap(SpoolSegment.number(of:)).sorted()
        let known = state
        for number in numbers {
            if number < state.stored.segment {
                try SpoolFile.remove(path(number))
                continue
            }
            try load(segment: number, isLast: number == numbers.last, known)
        }
        if state.dropped.lines > 0, state.lastRecord > state.dropped.asOf { state.dropped = .init() }
        isDropping = state.dropped.lines > 0
        budget.add(held)
        if unstored > 0 { unstoredSince = now }
        if !damage.isEmpty { write(mark: .damaged, at: now) }
    }

    private mutating func load(segment number: UInt64, isLast: Bool, _ known: SpoolState) throws(LogsError) {
        let bytes = try SpoolFile.read(path(number)) ?? []
        let start = number == state.stored.segment ? state.stored.offset : 0
        guard start <= bytes.count else {
            // Cut from outside. New lines must not come to lie where they count as stored.
            damage.append("\(path(number)): \(bytes.count) bytes where there were \(start)")
            state.stored = SpoolPlace(segment: number + 1, offset: 0)
            return try SpoolFile.remove(path(number))
        }
        let end = SpoolSegment.forEachRecord(in: bytes, from: start) { record in
            state.lastRecord = max(state.lastRecord, record.number)
            let place = SpoolPlace(segment: number, offset: record.range.lowerBound)
            for chunk in record.chunks where place >= state.storedEnd(of: chunk.day) { unstored += chunk.range.count }
            guard let position = record.position else { return }
            state.note(position, of: record, unlessAfter: known)
        }
        if end < bytes.count {
            // What a death tore off is read again from the run; anything else is a loss.
            if !isLast { damage.append("\(path(number)): \(bytes.count - end) bytes from \(end) on") }
            try SpoolFile.cut(path(number), to: end)
            if let intent = state.intent, intent.end > SpoolPlace(segment: number, offset: end),
                intent.end.segment == number
            {
                state.intent?.end.offset = end
            }
        }
        segments.append(SpoolSegment(number: number, size: end))
    }

    /// Writes the state.
    mutating func save(durably: Bool = false) throws(LogsError) {
        state.trim()
        state.sequence += 1
        try stateFile.write(state, durably: durably)
    }

    /// Changes the state and writes it.
    mutating func update(_ change: (inout SpoolState) -> Void) throws(LogsError) {
        change(&state)
        try save()
    }
}

extension SpoolDisk {
    /// Keeps the lines of a run, or, when there is no room, counts them. Either way the run's place moves on.
    /// - Returns: how many lines were dropped.
    mutating func keep(_ lines: PendingLines, now: Timestamp) -> Int {
        var chunks = lines.chunks
        if state.dropped.lines > 0 {
            var mark: [UInt8] = []
            format.append(mark: .dropped(lines: state.dropped.lines), at: state.dropped.last, to: &mark)
            chunks.insert(.init(day: LogDay(of: state.dropped.last), lines: 1, bytes: mark), at: 0)
        }
        let record = SpoolRecord(
            number: state.lastRecord + 1,
            reference: lines.reference,
            position: lines.position,
            chunks: chunks
        )
        if write(record, now: now) {
            noteKept(record)
            isDropping = false
            state.dropped = .init()
            return 0
        }
        isDropping = true
        state.dropped.lines += lines.lines
        state.dropped.last = lines.last
        state.dropped.asOf = state.lastRecord
        if let index = state.index(of: lines.reference), let position = lines.position {
            state.runs[index].position = position
            state.runs[index].asOf = state.lastRecord
        }
        do throws(LogsError) { try save() } catch { failure = error }
        return lines.lines
    }

    private mutating func noteKept(_ record: SpoolRecord) {
        guard let index = state.index(of: record.reference) else { return }
        if let position = record.position { state.runs[index].position = position }
        state.runs[index].asOf = record.number
        if state.runs[index].firstRecord == 0 { state.runs[index].firstRecord = record.number }
    }

    /// A line about the log itself.
    private mutating func write(mark: LogMark, at time: Timestamp) {
        var bytes: [UInt8] = []
        format.append(mark: mark, at: time, to: &bytes)
        let chunk = SpoolRecord.Chunk(day: LogDay(of: time), lines: 1, bytes: bytes)
        _ = write(SpoolRecord(number: state.lastRecord + 1, reference: "", position: nil, chunks: [chunk]), now: time)
    }

    /// Adds a record to the last segment, whole or not at all.
    private mutating func write(_ record: SpoolRecord, now: Timestamp) -> Bool {
        let bytes = record.encoded
        guard bytes.count <= SpoolRecord.longest,
            ring != nil || budget.take(bytes.count, held: held, isDropping: isDropping)
        else { return false }
        do throws(LogsError) {
            let last = try segmentToWrite()
            let path = path(segments[last].number)
            try SpoolFile.with(path, O_WRONLY | O_CREAT) { descriptor throws(LogsError) in
                do throws(LogsError) {
                    try SpoolFile.write(bytes, at: segments[last].size, descriptor, path)
                } catch {
                    // Cutting needs no room. Should it fail, the next record is written over what is there.
                    ftruncate(descriptor, off_t(segments[last].size))
                    throw error
                }
            }
            segments[last].size += bytes.count
        } catch {
            failure = error
            if ring == nil { budget.giveBack(bytes.count) }
            return false
        }
        state.lastRecord = record.number
        unstored += record.chunks.reduce(0) { $0 + $1.bytes.count }
        if unstoredSince == nil { unstoredSince = now }
        if ring != nil { turnRing() }
        return true
    }

    private mutating func segmentToWrite() throws(LogsError) -> Int {
        if let last = segments.last, last.size < segmentSize { return segments.count - 1 }
        if let last = segments.last { try SpoolFile.sync(path(last.number)) }
        let number = max(segments.last?.number ?? 0, state.stored.segment) + 1
        segments.append(SpoolSegment(number: number, size: 0))
        return segments.count - 1
    }

    private mutating func turnRing() {
        guard let ring else { return }
        while segments.count > 1, held - segments[0].size >= ring {
            let oldest = segments.removeFirst()
            state.stored = max(state.stored, SpoolPlace(segment: segments[0].number, offset: 0))
            unstored = max(0, unstored - oldest.size)
            do throws(LogsError) {
                // The places of runs may be in no other segment.
                try save()
                try SpoolFile.remove(path(oldest.number))
            } catch { failure = error }
        }
    }
}

extension SpoolDisk {
    /// Notes that an addition to an object is about to be made. From here on both it and the lines outlast a loss of power.
    mutating func begin(_ intent: StoreIntent) throws(LogsError) {
        for segment in segments where segment.number == intent.end.segment { try SpoolFile.sync(path(segment.number)) }
        state.intent = intent
        try save(durably: true)
    }

    /// Notes that it was made, and removes what isn't needed any more.
    /// - Parameters:
    ///   - size: the object's size after it.
    ///   - bytes: how many bytes were added.
    ///   - next: the first place before the intent's end with lines of another day that aren't stored.
    mutating func finish(
        _ intent: StoreIntent,
        size: Int64,
        bytes: Int,
        next: SpoolPlace?,
        starts: [UInt64: Int64],
        now: Timestamp
    ) throws(LogsError) {
        for index in state.runs.indices where state.runs[index].start == nil {
            guard let offset = starts[state.runs[index].firstRecord] else { continue }
            state.runs[index].start = SpooledRun.ObjectPlace(day: intent.day, offset: offset)
        }
        state.intent = nil
        state.sizes[intent.day] = size
        if let next {
            state.stored = next
            state.ahead[intent.day] = intent.end
        } else {
            state.stored = intent.end
        }
        unstored = max(0, unstored - bytes)
        unstoredSince = unstored > 0 ? now : nil
        retireActiveSegment()
        try save()
        while let first = segments.first, first.number < state.stored.segment {
            try SpoolFile.remove(path(first.number))
            budget.giveBack(first.size)
            segments.removeFirst()
        }
    }

    /// When all is stored and the last segment isn't small, the next record begins a new one.
    private mutating func retireActiveSegment() {
        guard let last = segments.last, last.size >= segmentSize / 16,
            state.stored >= SpoolPlace(segment: last.number, offset: last.size)
        else { return }
        state.stored = SpoolPlace(segment: last.number + 1, offset: 0)
    }
}

extension SpoolDisk {
    /// Removes the folder when all that was in it is stored and nothing was written for a time.
    /// - Returns: whether it was removed.
    mutating func removeIfUnused(since age: Duration, now: Timestamp) throws(LogsError) -> Bool {
        guard unstored == 0, state.dropped.lines == 0, state.intent == nil else { return false }
        var status = stat()
        guard stat(folder + "/state", &status) == 0 else { return false }
        let changed = Timestamp(secondsSince1970: Int64(status.st_mtim.tv_sec))
        guard now.duration(since: changed) > age else { return false }
        // The state last but one: without the id the rest is a spool's that was never finished.
        for segment in segments { try SpoolFile.remove(path(segment.number)) }
        try SpoolFile.remove(folder + "/state")
        try SpoolFile.remove(folder + "/id")
        guard rmdir(folder) == 0 || errno == ENOENT else { throw .system("can't remove", folder, errno) }
        budget.giveBack(held)
        segments = []
        return true
    }
}
