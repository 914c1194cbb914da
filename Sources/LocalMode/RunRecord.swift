import Model
import Runtime
import Util

/// Whose run it is and what it was started from: written before its folder has its name, and never changed.
struct RunRecord: Sendable, Hashable {
    /// The folder's name and a random part: no two runs ever have the same.
    var reference: String
    var id: BotID
    var kind: ExecutableKind
    /// The slot it runs for; nil for a live bot.
    var slot: Slot?
    var hash: String
    var attempt: Int
    var createdAt: Timestamp
    /// The machine's start it was made in.
    var boot: String
    /// The control groups made for it.
    var groups: [String]

    /// The entry by which the bot's processes can be told from all others.
    var marker: String { "\(RunRecord.markerName)=\(reference)" }

    /// The variable that every process of a bot inherits.
    static let markerName = "THE0_RUN"

    var json: JSONValue {
        [
            "format": 1, "reference": .string(reference), "id": .string(id.text), "kind": .string(kind.rawValue),
            "slot": slot.map { .string($0.description) } ?? .null, "hash": .string(hash),
            "attempt": .integer(Int64(attempt)),
            "created_at": .integer(createdAt.nanosecondsSince1970), "boot": .string(boot),
            "groups": .array(groups.map { .string($0) }),
        ]
    }

    /// The record in a run's folder; nil when the folder is gone.
    static func read(_ folder: RunFolder) throws(LocalError) -> RunRecord? {
        guard let object = try JSONFile.read(folder.record) else {
            guard SystemFile.exists(folder.path) else { return nil }
            throw LocalError(.damaged, "\(folder.path) has no record: whose run it is can't be told")
        }
        guard let reference = object["reference"]?.string, let id = object["id"]?.string, !id.isEmpty,
            let kind = object["kind"]?.string.flatMap({ ExecutableKind(rawValue: $0) }),
            let hash = object["hash"]?.string,
            case .integer(let attempt) = object["attempt"], case .integer(let created) = object["created_at"],
            let boot = object["boot"]?.string, case .array(let groups) = object["groups"]
        else { throw LocalError(.damaged, "\(folder.record) is no record of ours") }
        var slot: Slot?
        if let text = object["slot"], text != .null {
            slot = text.string.flatMap { Slot($0) }
            guard slot != nil else { throw LocalError(.damaged, "\(folder.record) names a slot that is none") }
        }
        return RunRecord(
            reference: reference,
            id: BotID(id),
            kind: kind,
            slot: slot,
            hash: hash,
            attempt: Int(clamping: max(0, attempt)),
            createdAt: Timestamp(nanosecondsSince1970: created),
            boot: boot,
            groups: groups.compactMap(\.string)
        )
    }
}

/// Which processes a run has; written by its supervisor once the bot was started.
struct RunStatus: Sendable, Hashable {
    var supervisor: ProcessIdentity
    var bot: ProcessIdentity?
    var boot: String
    var startedAt: Timestamp
    /// The limits that hold, for people.
    var limits: [String]

    var json: JSONValue {
        [
            "supervisor": supervisor.json, "bot": bot?.json ?? .null, "boot": .string(boot),
            "started_at": .integer(startedAt.nanosecondsSince1970), "limits": .array(limits.map { .string($0) }),
        ]
    }

    static func read(_ folder: RunFolder) throws(LocalError) -> RunStatus? {
        guard let object = try JSONFile.read(folder.status) else { return nil }
        guard let supervisor = ProcessIdentity(object["supervisor"]), let boot = object["boot"]?.string,
            case .integer(let started) = object["started_at"], case .array(let limits) = object["limits"]
        else { throw LocalError(.damaged, "\(folder.status) is no status of ours") }
        return RunStatus(
            supervisor: supervisor,
            bot: ProcessIdentity(object["bot"]),
            boot: boot,
            startedAt: Timestamp(nanosecondsSince1970: started),
            limits: limits.compactMap(\.string)
        )
    }
}

extension Exit {
    var json: JSONValue {
        [
            "code": .integer(Int64(code)), "oom": .bool(outOfMemory),
            "started_at": .integer(startedAt.nanosecondsSince1970),
            "finished_at": .integer(finishedAt.nanosecondsSince1970), "error": .string(platformError),
        ]
    }

    static func read(_ folder: RunFolder) throws(LocalError) -> Exit? {
        guard let object = try JSONFile.read(folder.exit) else { return nil }
        guard case .integer(let code) = object["code"], case .bool(let outOfMemory) = object["oom"],
            case .integer(let started) = object["started_at"], case .integer(let finished) = object["finished_at"]
        else { throw LocalError(.damaged, "\(folder.exit) is no end of ours") }
        return Exit(
            code: Int(clamping: code),
            outOfMemory: outOfMemory,
            startedAt: Timestamp(nanosecondsSince1970: started),
            finishedAt: Timestamp(nanosecondsSince1970: finished),
            platformError: object["error"]?.string ?? ""
        )
    }
}

/// Small files of JSON.
enum JSONFile {
    static func read(_ path: String) throws(LocalError) -> JSONObject? {
        guard let bytes = try SystemFile.read(path) else { return nil }
        do {
            guard let object = try JSONValue.parse(bytes).object else {
                throw LocalError(.damaged, "\(path): no object")
            }
            return object
        } catch {
            throw LocalError(.damaged, "\(path) can't be read as JSON", cause: error)
        }
    }

    static func replace(_ path: String, _ value: JSONValue) throws(LocalError) {
        try SystemFile.replace(path, with: Array(value.text.utf8))
    }
}
