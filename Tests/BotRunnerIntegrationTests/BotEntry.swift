import Model
import TestSupport

/// A live bot as the platform writes it: into the database, and into its events.
struct BotEntry: Sendable {
    var id: String
    var config: JSONObject = [:]
    var enabled: Bool?
    /// The object key of its code.
    var code: String
    var runtime = "python3.11"
    var entrypoint = "main.py"
    var version = "1.0.0"
    var updatedAt: String?
    /// `realtime` or `scheduled`.
    var type = "realtime"
    /// The cursor of a schedule, in seconds since 1970.
    var nextExecutionTime: Int64?

    init(
        _ id: String,
        code: String,
        config: JSONObject = [:],
        enabled: Bool? = nil,
        runtime: String = "python3.11",
        entrypoint: String = "main.py",
        version: String = "1.0.0"
    ) {
        self.id = id
        self.config = config
        self.enabled = enabled
        self.code = code
        self.runtime = runtime
        self.entrypoint = entrypoint
        self.version = version
    }

    /// The same bot with other parameters.
    func with(config: JSONObject) -> BotEntry {
        var copy = self
        copy.config = config
        return copy
    }

    /// The same schedule with a cursor.
    func due(at seconds: Int64) -> BotEntry {
        var copy = self
        copy.nextExecutionTime = seconds
        return copy
    }

    private var custom: JSONValue {
        var custom: JSONObject = [
            "version": .string(version), "filePath": .string(code), "createdAt": "2026-01-02T03:04:05Z",
            "config": [
                "name": "tester", "description": "", "runtime": .string(runtime), "version": .string(version),
                "author": "tests", "type": .string(type), "entrypoints": ["bot": .string(entrypoint)],
            ],
        ]
        if let updatedAt { custom["updatedAt"] = .string(updatedAt) }
        return .object(custom)
    }

    /// The document in MongoDB.
    var document: JSONValue {
        var document: JSONObject = ["id": .string(id), "config": .object(config), "custom": custom, "segment_id": 0]
        if let enabled { document["enabled"] = .bool(enabled) }
        document["next_execution_time"] = nextExecutionTime.map { .integer($0) }
        return .object(document)
    }

    /// The flat event.
    var event: JSONValue { ["id": .string(id), "config": .object(config), "custom": custom] }
}

/// Programs that bots run.
enum Program {
    /// Runs until it is stopped, and says what it was given.
    static let sleeper = """
        import json, os, time
        print(json.dumps({"id": os.environ["BOT_ID"], "config": os.environ["BOT_CONFIG"]}), flush=True)
        while True:
            time.sleep(1)

        """

    /// Writes numbered lines, and a last one.
    /// - Parameters:
    ///   - lines: how many, as fast as it can; nil goes on for ever, a hundred a second.
    ///   - code: what it ends with.
    static func counter(lines: Int? = nil, exiting code: Int = 0) -> String {
        """
        import itertools, socket, sys, time, uuid
        run = f"{socket.gethostname()}-{uuid.uuid4().hex}"
        for n in \(lines.map { "range(\($0))" } ?? "itertools.count()"):
            print(f"{run} {n}", flush=True)
            \(lines == nil ? "time.sleep(0.01)" : "pass")
        print(f"{run} last", flush=True)
        sys.exit(\(code))

        """
    }

    /// Ends at once.
    static func exiting(_ code: Int) -> String {
        "import sys\nprint('first')\nprint('last')\nsys.exit(\(code))\n"
    }

    /// Parameters of a bot that isn't started again once it has ended.
    static let runsOnce: JSONObject = ["execution": ["restart": ["initial": "1h", "maximum": "1h"]]]
}
