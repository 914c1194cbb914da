import Model
import Runtime
import Synchronization
import Util

/// The lines of one bot that aren't in the object store yet, and where in its runs' output they end.
///
/// Lines come into memory first and go to disk together, at most a moment later. What is lost from memory with the process is
/// read again, as the place on disk is the one after the lines on disk.
final class BotSpool: Sendable {
    /// From so many bytes on, lines in memory are written without waiting for more.
    static let mostInMemory = 256 << 10

    private struct Memory {
        var pending: [PendingLines] = []
        var bytes = 0
        /// Where each run's lines in memory end.
        var positions: [String: OutputPosition] = [:]
        var format = LineFormat()
    }

    let id: BotID
    private let memory = Mutex(Memory())
    private let disk: DiskLock<SpoolDisk>

    init(id: BotID, disk: consuming sending SpoolDisk) {
        self.id = id
        self.disk = DiskLock(disk)
    }

    /// Adds a batch to the lines in memory.
    /// - Returns: whether there were none before, and whether they should be written at once.
    func add(_ batch: OutputBatch, of reference: String, masking: LogMasking?) -> (isFirst: Bool, isFull: Bool) {
        memory.withLock { memory in
            let isFirst = memory.pending.isEmpty
            if memory.pending.last?.reference != reference {
                memory.pending.append(PendingLines(reference: reference, last: batch.lines.first?.time ?? .now))
            }
            let index = memory.pending.count - 1
            let before = memory.pending[index].bytes
            if batch.hasGap {
                let time = batch.lines.first?.time ?? memory.pending[index].last
                memory.pending[index].add(at: time) { memory.format.append(mark: .gap, at: time, to: &$0) }
            }
            for line in batch.lines {
                let line = masking?.masked(line) ?? line
                memory.pending[index].add(at: line.time) { memory.format.append(line, to: &$0) }
            }
            memory.pending[index].position = batch.position
            memory.positions[reference] = batch.position
            memory.bytes += memory.pending[index].bytes - before
            return (isFirst, memory.bytes >= Self.mostInMemory)
        }
    }

    /// Writes what is in memory; blocks.
    func flush(now: Timestamp) -> SpoolWriting {
        disk.withLock { disk in
            // Taken while the disk is held, so that two who write keep the order.
            let pending = memory.withLock { memory in
                defer {
                    memory.pending = []
                    memory.bytes = 0
                    memory.positions = [:]
                }
                return memory.pending
            }
            var writing = SpoolWriting()
            for lines in pending {
                let dropped = disk.keep(lines, now: now)
                writing.dropped += dropped
                guard dropped == 0 else { continue }
                writing.lines += lines.lines
                writing.bytes += lines.bytes
            }
            writing.failure = disk.failure
            disk.failure = nil
            return writing
        }
    }

    /// Whether no lines are in memory.
    var isWritten: Bool { memory.withLock { $0.pending.isEmpty } }

    /// Works with what is on disk; blocks.
    func withDisk<Value>(_ body: (inout SpoolDisk) throws(LogsError) -> sending Value) throws(LogsError)
        -> sending Value
    {
        try disk.withLock(body)
    }

    /// Begins or goes on with a run.
    /// - Returns: after which place; nil when nothing more of it is to be read.
    func begin(_ run: ObservedRun) throws(LogsError) -> RunBeginning {
        guard run.reference.utf8.count <= SpoolState.longestReference, !run.reference.isEmpty else {
            throw LogsError(
                .invalidOption,
                "a run's reference has 1 to \(SpoolState.longestReference) bytes; one of \(id) has "
                    + "\(run.reference.utf8.count)",
                isRetryable: false
            )
        }
        let inMemory = memory.withLock { $0.positions[run.reference] }
        return try disk.withLock { disk throws(LogsError) in
            let since = run.lastStart
            guard let index = disk.state.index(of: run.reference) else {
                if run.createdAt <= disk.state.forgotten { return .ended }
                try disk.update { state in
                    state.runs.append(
                        SpooledRun(
                            reference: run.reference,
                            createdAt: run.createdAt,
                            since: since,
                            asOf: state.lastRecord
                        )
                    )
                }
                return .from(inMemory)
            }
            let known = disk.state.runs[index]
            if known.endedAt != nil, since <= known.since { return .ended }
            if known.endedAt != nil || known.since != since || known.createdAt != run.createdAt {
                try disk.update { state in
                    state.runs[index].endedAt = nil
                    state.runs[index].since = since
                    state.runs[index].createdAt = run.createdAt
                }
            }
            return .from(inMemory ?? known.position)
        }
    }

    /// Notes that a run's output was read to its end; what is in memory has to be written before.
    func end(_ reference: String, at time: Timestamp) throws(LogsError) {
        try disk.withLock { disk throws(LogsError) in
            guard let index = disk.state.index(of: reference) else { return }
            try disk.update { $0.runs[index].endedAt = time }
        }
    }
}

/// Where to go on with a run.
enum RunBeginning: Equatable {
    case from(OutputPosition?)
    case ended
}

/// What came of writing.
struct SpoolWriting {
    /// What is on disk now.
    var lines = 0
    var bytes = 0
    /// How many lines there was no room for.
    var dropped = 0
    var failure: LogsError?
}

extension ObservedRun {
    /// When it was started last, as far as can be told.
    var lastStart: Timestamp {
        switch phase {
        case .running(let since): since
        case .exited(let exit): exit.startedAt
        case .created, .leaving: createdAt
        }
    }
}
