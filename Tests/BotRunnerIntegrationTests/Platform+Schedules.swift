import Foundation
import Model
import TestSupport

/// What the platform's API does with schedules, and what other parts of it read of their runs.
extension Platform {
    private static let schedules = "client.bot_scheduler.bot_schedules"

    /// Writes schedules, in the place of those of the same id.
    func put(schedules: BotEntry...) async throws { try await put(schedules: schedules) }

    /// Writes schedules, in the place of those of the same id.
    func put(schedules: [BotEntry]) async throws {
        let documents = JSONValue.array(
            schedules.map { schedule in
                var schedule = schedule
                schedule.type = "scheduled"
                return schedule.document
            }
        )
        try await mongo.python(
            """
            for document in \(Self.python(documents)):
                \(Self.schedules).delete_many({"id": document["id"]})
                \(Self.schedules).insert_one(document)
            """
        )
    }

    /// Sets fields of a schedule's document, by their paths.
    func set(schedule id: String, _ fields: JSONObject) async throws {
        let change: JSONValue = ["id": .string(id), "fields": .object(fields)]
        try await mongo.python(
            """
            change = \(Self.python(change))
            found = \(Self.schedules).update_one({"id": change["id"]}, {"$set": change["fields"]})
            assert found.matched_count == 1
            """
        )
    }

    /// The next slot of a schedule as its document has it, in seconds since 1970; nil where it has none.
    func cursor(of id: String) async throws -> Int64? {
        let text = try await mongo.python(
            """
            found = \(Self.schedules).find_one({"id": \(Self.python(.string(id)))})
            print(json.dumps(found and found.get("next_execution_time")))
            """
        )
        return try JSONValue.parse(text.trimmingCharacters(in: .whitespacesAndNewlines)).integer
    }

    /// What the runs of a schedule left last; nil while there is nothing.
    func result(of id: String) async throws -> JSONObject? {
        let answer = try await runCommand(
            Self.curl(objects) + ["http://\(objects.endpoint)/backtests/\(id)/analysis.json"]
        )
        // 22: there is no such object.
        guard answer.isSuccess else { return nil }
        return try JSONValue.parse(answer.text).object
    }
}

/// A run as `runtime runs` shows it.
struct RunEntry: Sendable, Equatable {
    let schedule: String
    let slot: Int64
    let isManual: Bool
    let phase: String
    let outcome: String?
    let exitCode: Int64?
    let attempt: Int64
    let reason: String
    let result: String?
    let takeovers: Int64

    /// The runs of an answer in JSON.
    static func all(in text: String) throws -> [RunEntry] {
        let object = try JSONValue.parse(text.trimmingCharacters(in: .whitespacesAndNewlines)).object
        return (object?["runs"]?.array ?? []).compactMap(\.object).map(RunEntry.init)
    }

    private init(_ object: JSONObject) {
        func number(_ name: String) -> Int64? { if case .integer(let number) = object[name] { number } else { nil } }
        schedule = object["schedule_id"]?.string ?? ""
        slot = number("slot") ?? 0
        isManual = object["trigger"] == "manual"
        phase = object["phase"]?.string ?? ""
        outcome = object["outcome"]?.string
        exitCode = number("exit_code")
        attempt = number("attempt") ?? 0
        reason = object["reason"]?.string ?? ""
        result = object["result"]?.string
        takeovers = number("takeovers") ?? 0
    }
}

extension Program {
    /// Runs for some seconds, and leaves a result.
    static func job(seconds: Double = 0, exiting code: Int = 0) -> String {
        """
        import json, os, sys, time
        print("begin", flush=True)
        time.sleep(\(seconds))
        with open("/" + os.environ["CODE_MOUNT_DIR"] + "/result.json", "w") as file:
            json.dump({"id": os.environ["BOT_ID"], "at": time.time()}, file)
        print("end", flush=True)
        sys.exit(\(code))

        """
    }

    /// Goes on for ever, whoever asks it to end.
    static let stubborn = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("begin", flush=True)
        while True:
            time.sleep(60)

        """
}
