public import Model
import Util

/// A record as stores keep it: one object, times in RFC 3339 so that people can read them.
extension RunRecord {
    /// The record as an object.
    public var document: JSONObject {
        var object: JSONObject = [
            "schedule_id": .string(id.text), "slot": .integer(slot.time), "trigger": .string(slot.trigger.rawValue),
            "revision": .integer(revision), "phase": .string(phase.rawValue), "owner": .string(owner),
            "attempt": .integer(Int64(attempt)), "retries": .integer(Int64(retries)), "timeout": .integer(timeout),
            "exclusive": .bool(isExclusive), "takeovers": .integer(Int64(takeovers)),
            "claimed_at": .string(claimedAt.description), "not_before": .string(notBefore.description),
            "start_by": .string(startBy.description),
        ]
        object["platform"] = platform.map { .string($0) }
        object["started_at"] = startedAt.map { .string($0.description) }
        object["ended_at"] = endedAt.map { .string($0.description) }
        object["stop"] = stop.map { .string($0.rawValue) }
        object["outcome"] = outcome.map { .string($0.rawValue) }
        object["exit_code"] = exitCode.map { .integer(Int64($0)) }
        if !reason.isEmpty { object["reason"] = .string(reason) }
        object["result"] = result.map { .string($0.rawValue) }
        return object
    }

    /// Reads what ``document`` wrote; unknown fields are passed over.
    /// - Throws: `DocumentError` naming the field that is missing or can't be used.
    public init(document: JSONObject) throws(DocumentError) {
        let fields = RunFields(object: document)
        let id = try BotID(validating: try fields.required("schedule_id"))
        let trigger: Slot.Trigger = try fields.word("trigger") ?? .schedule
        guard let time = try fields.integer("slot") else { throw fields.failure("slot", "is missing") }
        self.init(
            id: id,
            slot: Slot(time, trigger: trigger),
            owner: try fields.text("owner") ?? "",
            claimedAt: try fields.requiredTime("claimed_at"),
            notBefore: try fields.requiredTime("not_before"),
            startBy: try fields.requiredTime("start_by")
        )
        guard let phase: Phase = try fields.word("phase") else { throw fields.failure("phase", "is missing") }
        self.phase = phase
        revision = try fields.integer("revision") ?? 1
        guard (1...Self.mostRevisions).contains(revision) else {
            throw fields.failure("revision", "is \(revision); expected 1 to \(Self.mostRevisions)")
        }
        attempt = try fields.count("attempt")
        retries = try fields.count("retries")
        takeovers = try fields.count("takeovers")
        timeout = try fields.integer("timeout") ?? 0
        isExclusive = try fields.bool("exclusive") ?? true
        platform = try fields.text("platform")
        startedAt = try fields.time("started_at")
        endedAt = try fields.time("ended_at")
        stop = try fields.word("stop")
        outcome = try fields.word("outcome")
        exitCode = try fields.integer("exit_code").flatMap { Int(exactly: $0) }
        reason = try fields.text("reason") ?? ""
        result = try fields.word("result")
    }
}

/// Reads typed fields of a record.
private struct RunFields {
    let object: JSONObject

    func failure(_ field: String, _ problem: String) -> DocumentError {
        DocumentError(id: object["schedule_id"]?.string ?? "", field: field, problem: problem)
    }

    private func value(_ field: String) -> JSONValue? {
        // Not with `map`: there, `nil` would be the JSON value.
        guard let value = object[field], value != .null else { return nil }
        return value
    }

    func text(_ field: String) throws(DocumentError) -> String? {
        guard let value = value(field) else { return nil }
        guard let text = value.string else { throw failure(field, "is \(value.kindName); expected text") }
        return text
    }

    func required(_ field: String) throws(DocumentError) -> String {
        guard let text = try text(field) else { throw failure(field, "is missing; expected text") }
        return text
    }

    func integer(_ field: String) throws(DocumentError) -> Int64? {
        switch value(field) {
        case nil: return nil
        case .integer(let number): return number
        case .double(let number):
            guard let exact = Int64(exactly: number) else { break }
            return exact
        case .some: break
        }
        throw failure(field, "is no whole number of 64 bits")
    }

    func bool(_ field: String) throws(DocumentError) -> Bool? {
        guard let value = value(field) else { return nil }
        guard case .bool(let flag) = value else { throw failure(field, "is \(value.kindName); expected a boolean") }
        return flag
    }

    func count(_ field: String) throws(DocumentError) -> Int {
        guard let number = try integer(field).map({ Int($0) }) else { return 0 }
        guard number >= 0 else { throw failure(field, "is negative; expected 0 or more") }
        return number
    }

    func time(_ field: String) throws(DocumentError) -> Timestamp? {
        guard let text = try text(field) else { return nil }
        do { return try RFC3339.parse(text) } catch {
            throw failure(field, "is no time; expected one as 2026-01-02T03:04:05Z")
        }
    }

    func requiredTime(_ field: String) throws(DocumentError) -> Timestamp {
        guard let time = try time(field) else { throw failure(field, "is missing; expected a time") }
        return time
    }

    func word<Word: RawRepresentable & CaseIterable>(_ field: String) throws(DocumentError) -> Word?
    where Word.RawValue == String {
        guard let text = try text(field) else { return nil }
        guard let word = Word(rawValue: text) else {
            let allowed = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure(field, "is unknown; allowed are \(allowed)")
        }
        return word
    }
}
