public import Model
public import ObjectStorage
public import Runtime
public import Util

/// Reads a bot's log: from the object store what is stored, from the spool what isn't yet, from the engine what isn't there
/// either. Every line comes once, and in its order.
///
/// Where one ends and the next begins is exact while this machine has the spool: it knows what of it is stored, and where in
/// a run's output its lines end. Without it, what the engine has is compared with the last stored lines: what comes after the
/// last place where up to sixteen of them stand in a row is new.
public struct LogReader: Sendable {
    /// What of a log to read.
    public struct Request: Sendable {
        /// The bot.
        public var id: BotID
        /// Which of its runs: those that live, or those of its schedule.
        public var kind: ExecutableKind
        /// Only lines from then on.
        public var since: Timestamp?
        /// Only so many of the last lines.
        public var tail: Int?
        /// The run before the current one instead of everything.
        public var previous: Bool
        /// Go on with what is written, also by later runs, until cancelled.
        public var follow: Bool
        /// What the collector masks, for comparing lines without a spool, and for lines that come from the engine.
        public var masking: LogMasking?

        /// Everything there is unless given otherwise.
        public init(
            id: BotID,
            kind: ExecutableKind = .live,
            since: Timestamp? = nil,
            tail: Int? = nil,
            previous: Bool = false,
            follow: Bool = false,
            masking: LogMasking? = nil
        ) {
            self.id = id
            self.kind = kind
            self.since = since
            self.tail = tail
            self.previous = previous
            self.follow = follow
            self.masking = masking
        }
    }

    let storage: (any ObjectAppending)?
    let spoolPath: String?
    let follower: (any RunOutputFollowing)?
    let clock: any Clock<Duration>

    /// A reader of what there is of the three.
    /// - Parameters:
    ///   - storage: where lines are stored.
    ///   - spoolPath: the spool's folder on this machine, which another process may have.
    ///   - follower: reads the runs' output.
    ///   - clock: what waits for a bot's next run.
    public init(
        storage: (any ObjectAppending)?,
        spoolPath: String?,
        follower: (any RunOutputFollowing)?,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.storage = storage
        self.spoolPath = spoolPath
        self.follower = follower
        self.clock = clock
    }

    /// Hands over lines one after the other, the oldest first.
    /// - Parameters:
    ///   - request: what of the log.
    ///   - deliver: takes a line; its error ends the reading.
    /// - Throws: ``LogsError`` when something can't be read, and what `deliver` throws.
    public func read(_ request: Request, deliver: @escaping @Sendable (LogLine) async throws -> Void) async throws {
        do { try await readAll(request, deliver) } catch let error as LogsError {
            throw (error.cause as? DeliveryError)?.cause ?? error
        }
    }

    private func readAll(
        _ request: Request,
        _ deliver: @escaping @Sendable (LogLine) async throws -> Void
    ) async throws {
        guard request.tail.map({ $0 >= 0 }) ?? true else {
            throw LogsError(.invalidOption, "the number of last lines is 0 or more", isRetryable: false)
        }
        let known = try await Known(self, request.id)
        if request.previous { return try await readPrevious(request, known, deliver) }
        let engine = EngineLines(request, self, known)
        // What the engine has is read first where the last lines are wanted: only then it is known how many are missing.
        guard let tail = request.tail else {
            try known.expectListed()
            try await stored(known, since: request.since, deliver)
            for line in known.spooled where line.line.isSince(request.since) { try await deliver(line.line) }
            try await engine.readThere { if $0.isSince(request.since) { try await deliver($0) } }
            if request.follow { try await engine.follow(deliver) }
            return
        }
        let last = LastLines(tail)
        for line in known.spooled where line.line.isSince(request.since) { last.add(line.line) }
        try await engine.readThere { if $0.isSince(request.since) { last.add($0) } }
        let lines = last.lines
        if lines.count < tail {
            try known.expectListed()
            try await storedLast(tail - lines.count, known) { if $0.isSince(request.since) { try await deliver($0) } }
        }
        for line in lines { try await deliver(line) }
        if request.follow { try await engine.follow(deliver) }
    }

    private func stored(
        _ known: Known,
        since: Timestamp?,
        _ deliver: (LogLine) async throws -> Void
    ) async throws {
        guard let log = known.log else { return }
        let first = since.map { LogDay(of: $0) }
        // Lines that don't say when they were written belong to the one before.
        var isSince = since == nil
        for (day, size) in known.stored where first.map({ day >= $0 }) ?? true {
            try await log.lines(of: day, in: 0..<size) { line in
                if let since, let time = line.time { isSince = time >= since }
                if isSince { try await deliver(line) }
            }
        }
    }

    private func storedLast(
        _ count: Int,
        _ known: Known,
        _ deliver: (LogLine) async throws -> Void
    ) async throws {
        guard let log = known.log else { return }
        var missing = count
        var parts: [(day: LogDay, range: Range<Int64>)] = []
        for (day, size) in known.stored.reversed() where missing > 0 && size > 0 {
            let (start, lines) = try await log.start(ofLast: missing, in: day, before: size)
            parts.append((day, start..<size))
            missing -= lines
        }
        for part in parts.reversed() { try await log.lines(of: part.day, in: part.range, deliver) }
    }

    private func readPrevious(
        _ request: Request,
        _ known: Known,
        _ deliver: (LogLine) async throws -> Void
    ) async throws {
        guard let state = known.state else {
            throw LogsError(
                .invalidOption,
                "where a run begins in the log is known only on the machine that collects it, and there is no spool "
                    + "of \(request.id.text.jsonQuoted) here",
                isRetryable: false
            )
        }
        try known.expectListed()
        let runs = state.runs.filter { $0.firstRecord > 0 }.sorted { $0.firstRecord < $1.firstRecord }
        guard let previous = runs.dropLast().last, let current = runs.last else { return }
        let last = LastLines(request.tail ?? .max)
        func take(_ line: LogLine) async throws {
            guard line.isSince(request.since) else { return }
            if request.tail == nil { try await deliver(line) } else { last.add(line) }
        }
        if let start = previous.start, let log = known.log {
            for (day, size) in known.stored where day >= start.day && day <= current.start?.day ?? day {
                let begin = day == start.day ? start.offset : 0
                let end = day == current.start?.day ? min(size, current.start?.offset ?? size) : size
                if begin < end { try await log.lines(of: day, in: begin..<end, take) }
            }
        }
        for line in known.spooled where line.reference == previous.reference { try await take(line.line) }
        for line in last.lines { try await deliver(line) }
    }
}

/// What of a log is where, at one time.
struct Known {
    /// How much of each day's object holds lines that are in nothing else.
    private(set) var stored: [(day: LogDay, size: Int64)] = []
    /// The spool's lines that aren't stored.
    private(set) var spooled: [SpoolView.Line] = []
    /// nil when there is no spool of the bot here.
    private(set) var state: SpoolState?
    let log: StoredLog?
    /// Why it isn't known what is stored, if so. What is on this machine can be shown all the same.
    private var unlisted: LogsError?

    init(_ reader: LogReader, _ id: BotID) async throws {
        log = reader.storage.map { StoredLog(storage: $0, id: id) }
        // Lines may be stored between looking here and there: then both are looked at again.
        for _ in 0..<50 {
            let view = try reader.spoolPath.flatMap { path throws(LogsError) in try SpoolView(spool: path, id: id) }
            state = view?.state
            spooled = view?.lines ?? []
            stored = []
            for day in try await days(needed: state == nil) {
                guard let size = try await log?.size(of: day) else { continue }
                // Whether what was about to be added was added isn't known; its lines are in the spool.
                let isOpen = state?.intent?.day == day
                stored.append((day, isOpen ? min(size, state?.intent?.base ?? 0) : size))
            }
            guard let path = reader.spoolPath, let state else { return }
            let again = try SpoolView(spool: path, id: id)
            if again?.state.isStoredAs(state) == true { return }
        }
        throw LogsError(.spoolUnusable, "the log of \(id.text.jsonQuoted) changes faster than it can be read")
    }

    /// The days that are stored.
    /// - Parameter needed: whether nothing can be shown without them.
    private mutating func days(needed: Bool) async throws(LogsError) -> [LogDay] {
        do throws(LogsError) {
            unlisted = nil
            return try await log?.days() ?? []
        } catch {
            guard error.code == .storage, !needed else { throw error }
            unlisted = error
            return []
        }
    }

    /// - Throws: why it isn't known what is stored.
    func expectListed() throws(LogsError) {
        if let unlisted { throw unlisted }
    }
}

extension LogLine {
    func isSince(_ time: Timestamp?) -> Bool {
        guard let time, let own = self.time else { return true }
        return own >= time
    }
}
