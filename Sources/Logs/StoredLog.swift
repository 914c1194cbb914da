import Model
import ObjectStorage

/// The objects that a bot's lines are stored in.
struct StoredLog {
    private static let piece: Int64 = 1 << 20

    let storage: any ObjectAppending
    let id: BotID

    /// The days that have an object, in their order.
    func days() async throws(LogsError) -> [LogDay] {
        let prefix = "logs/\(id.text)/"
        let objects: [ObjectInfo]
        do throws(ObjectStorageError) { objects = try await storage.list(prefix: prefix) } catch {
            throw LogsError("list", prefix, error)
        }
        return objects.compactMap { object in
            let name = object.key.utf8.dropFirst(prefix.utf8.count)
            guard name.count == 12, let text = Substring(name).split(separator: ".").first else { return nil }
            return LogDay(text: text).flatMap { $0.key(of: id).utf8.elementsEqual(object.key.utf8) ? $0 : nil }
        }
    }

    /// How large a day's object is; nil when there is none.
    func size(of day: LogDay) async throws(LogsError) -> Int64? { try await info(day)?.size }

    private func info(_ day: LogDay) async throws(LogsError) -> ObjectInfo? {
        let key = day.key(of: id)
        do throws(ObjectStorageError) { return try await storage.info(key) } catch {
            throw LogsError("look for", key, error)
        }
    }

    /// Hands over the lines that begin in a range of a day's object.
    func lines(
        of day: LogDay,
        in range: Range<Int64>,
        _ take: (LogLine) async throws -> Void
    ) async throws {
        var rest: [UInt8] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let end = min(offset + Self.piece, range.upperBound)
            rest += try await bytes(of: day, offset..<end)
            offset = end
            var start = 0
            while let end = rest[start...].firstIndex(of: 0x0A) {
                if end > start { try await take(LogLine(rest[start..<end])) }
                start = end + 1
            }
            rest.removeFirst(start)
        }
        if !rest.isEmpty { try await take(LogLine(rest)) }
    }

    /// Where the last so many lines before a place begin.
    /// - Returns: the place, and how many lines there are from it on.
    func start(ofLast count: Int, in day: LogDay, before end: Int64) async throws -> (place: Int64, lines: Int) {
        var offset = end
        var lines = 0
        // Looks for one line end more: the one before the first of the lines.
        while offset > 0 {
            let begin = max(0, offset - Self.piece / 4)
            let bytes = try await bytes(of: day, begin..<offset)
            for index in bytes.indices.reversed() where bytes[index] == 0x0A {
                let place = begin + Int64(index) + 1
                guard place < end else { continue }
                lines += 1
                if lines == count { return (place, count) }
            }
            offset = begin
        }
        return (0, end > 0 ? lines + 1 : 0)
    }

    /// The bytes of a range that was there once: whatever was added since changes nothing about them.
    private func bytes(of day: LogDay, _ range: Range<Int64>) async throws -> [UInt8] {
        let key = day.key(of: id)
        for _ in 0..<20 {
            guard let object = try await info(day), object.size >= range.upperBound else {
                throw LogsError(.storage, "\(key.debugDescription) became shorter while it was read")
            }
            do throws(ObjectStorageError) { return try await storage.read(range, of: object) } catch {
                guard error.code == .changed else { throw LogsError("read", key, error) }
            }
        }
        throw LogsError(.storage, "\(key.debugDescription) changes faster than it can be read")
    }
}

extension LogDay {
    /// The day of a text as `20261124`.
    init?(text: Substring) {
        guard text.utf8.count == 8, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let parts = [text.prefix(4), text.dropFirst(4).prefix(2), text.suffix(2)].joined(separator: "-")
        guard let time = LogLine(Array(#"{"timestamp":"\#(parts)T00:00:00Z"}"#.utf8)).time else { return nil }
        self.init(of: time)
    }
}
