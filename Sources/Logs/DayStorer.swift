import Model
import ObjectStorage
import Util

/// Adds a bot's lines to its day's object, each exactly once, whenever the process dies.
///
/// What is about to be added is noted first. Whoever finds such a note looks whether the object has those very lines where they
/// would be: it then was done, and only the note on it was not.
struct DayStorer: Sendable {
    let storage: any ObjectAppending
    let executor: BlockingExecutor

    /// Stores what is in a bot's spool, up to a bound.
    /// - Returns: how much was stored; nil when there was nothing.
    /// - Throws: ``LogsError``; everything in the spool stays there then.
    func store(_ spool: BotSpool, now: Timestamp) async throws(LogsError) -> Stored? {
        guard let batch = try await batch(spool) else { return nil }
        let key = batch.day.key(of: spool.id)
        let object = try await storing("look for", key) { () throws(ObjectStorageError) in try await storage.info(key) }
        if let intent = batch.intent, let object, try await has(batch, object, at: intent.base ?? 0) {
            return try await finish(spool, batch, intent, base: intent.base ?? 0, size: object.size, now)
        }
        if batch.intent != nil {
            // What an attempt before has left takes up room, no more: a server that doesn't want to tell is let be.
            do throws(ObjectStorageError) { try await storage.discardUnfinished(key) } catch {
                guard error.code != .cancelled else { throw LogsError("add lines to", key, error) }
            }
        }
        let intent = StoreIntent(day: batch.day, base: object?.size, end: batch.end)
        try await onDisk { () throws(LogsError) in
            try spool.withDisk { disk throws(LogsError) in try disk.begin(intent) }
        }
        var index = 0
        var added: Int64 = 0
        var failure: LogsError?
        do throws(ObjectStorageError) {
            try await storage.append(to: key, base: object, contentType: "application/x-ndjson") {
                () throws(ObjectStorageError) in
                while index < batch.segments.count {
                    let bytes: [UInt8]
                    do throws(LogsError) {
                        let current = index
                        bytes = try await onDisk { () throws(LogsError) in try batch.lines(current).bytes }
                    } catch {
                        failure = error
                        throw ObjectStorageError(.localFile, error.message, cause: error)
                    }
                    index += 1
                    added += Int64(bytes.count)
                    if !bytes.isEmpty { return bytes }
                }
                return nil
            }
        } catch {
            throw failure ?? LogsError("add lines to", key, error)
        }
        return try await finish(spool, batch, intent, base: object?.size ?? 0, size: (object?.size ?? 0) + added, now)
    }

    private func batch(_ spool: BotSpool) async throws(LogsError) -> StoreBatch? {
        try await onDisk { () throws(LogsError) in
            try spool.withDisk { disk throws(LogsError) in try StoreBatch(disk) }
        }
    }

    /// Whether an object has the batch's lines at a place.
    private func has(_ batch: StoreBatch, _ object: ObjectInfo, at base: Int64) async throws(LogsError) -> Bool {
        var offset = base
        for index in batch.segments.indices {
            let bytes = try await onDisk { () throws(LogsError) in try batch.lines(index).bytes }
            guard !bytes.isEmpty else { continue }
            let range = offset..<(offset + Int64(bytes.count))
            guard range.upperBound <= object.size else { return false }
            let there = try await storing("read", object.key) { () throws(ObjectStorageError) in
                try await storage.read(range, of: object)
            }
            guard there == bytes else { return false }
            offset = range.upperBound
        }
        return offset > base
    }

    private func finish(
        _ spool: BotSpool,
        _ batch: StoreBatch,
        _ intent: StoreIntent,
        base: Int64,
        size: Int64,
        _ now: Timestamp
    ) async throws(LogsError) -> Stored {
        try await onDisk { () throws(LogsError) in
            var bytes = 0
            var starts: [UInt64: Int64] = [:]
            var next: SpoolPlace?
            for index in batch.segments.indices {
                let lines = try batch.lines(index)
                for (record, offset) in lines.starts { starts[record] = base + Int64(bytes + offset) }
                bytes += lines.bytes.count
                if next == nil { next = lines.other }
            }
            let (stored, first) = (bytes, next)
            let places = starts
            let left = try spool.withDisk { disk throws(LogsError) in
                try disk.finish(intent, size: size, bytes: stored, next: first, starts: places, now: now)
                return disk.unstored
            }
            return Stored(bytes: stored, objectSize: size, left: left)
        }
    }

    private func onDisk<Value: Sendable>(_ call: @Sendable () throws(LogsError) -> Value) async throws(LogsError)
        -> Value
    {
        do { return try await executor.blocking(call) } catch let error as LogsError { throw error } catch {
            throw LogsError(.cancelled, "cancelled", cause: error)
        }
    }

    private func storing<Value: Sendable>(
        _ doing: String,
        _ key: String,
        _ call: () async throws(ObjectStorageError) -> Value
    ) async throws(LogsError) -> Value {
        do throws(ObjectStorageError) { return try await call() } catch { throw LogsError(doing, key, error) }
    }
}

/// What came of storing.
struct Stored: Sendable, Equatable {
    var bytes: Int
    var objectSize: Int64
    /// How many bytes wait still.
    var left: Int
}

extension LogsError {
    init(_ doing: String, _ key: String, _ error: ObjectStorageError) {
        self.init(
            error.code == .cancelled ? .cancelled : .storage,
            "can't \(doing) \(key.jsonQuoted): \(error.message)",
            cause: error,
            isRetryable: true
        )
    }
}
