import Model

/// What a supervisor is told to start. Holds the bot's environment: the file is for this user only, and gone once the bot was started.
struct LaunchOrder: Sendable, Hashable {
    /// The program's absolute path, then its arguments.
    var command: [String]
    /// The whole environment, as `NAME=value`.
    var environment: [String]
    var directory: String
    /// What to make for it, in the order of making.
    var groups: [GroupOrder]
    /// In bytes: the address space that may be written to, where no control group limits memory.
    var memoryLimit: Int64
    var descriptorLimit: Int64
    var noNewPrivileges: Bool
    /// Whether the bot's process is the child of a child of what is started, as in bubblewrap.
    var isNested: Bool
    /// In milliseconds.
    var grace: Int64
    /// In bytes.
    var logFileSize: Int64
    var logFileCount: Int64

    var json: JSONValue {
        [
            "command": .array(command.map { .string($0) }), "environment": .array(environment.map { .string($0) }),
            "directory": .string(directory), "groups": .array(groups.map(\.json)), "memory": .integer(memoryLimit),
            "descriptors": .integer(descriptorLimit), "no_new_privileges": .bool(noNewPrivileges),
            "nested": .bool(isNested), "grace": .integer(grace), "log_size": .integer(logFileSize),
            "log_files": .integer(logFileCount),
        ]
    }

    /// The order in a run's folder.
    static func read(_ folder: RunFolder) throws(LocalError) -> LaunchOrder {
        guard let object = try JSONFile.read(folder.launch) else {
            throw LocalError(.damaged, "\(folder.launch) isn't there: the run was started before")
        }
        guard case .array(let command) = object["command"], !command.isEmpty,
            case .array(let environment) = object["environment"],
            let directory = object["directory"]?.string, case .array(let groups) = object["groups"],
            case .integer(let memory) = object["memory"], case .integer(let descriptors) = object["descriptors"],
            case .bool(let noNewPrivileges) = object["no_new_privileges"], case .bool(let nested) = object["nested"],
            case .integer(let grace) = object["grace"], case .integer(let logSize) = object["log_size"],
            case .integer(let logFiles) = object["log_files"]
        else { throw LocalError(.damaged, "\(folder.launch) is no order of ours") }
        return LaunchOrder(
            command: command.compactMap(\.string),
            environment: environment.compactMap(\.string),
            directory: directory,
            groups: groups.compactMap { GroupOrder($0) },
            memoryLimit: memory,
            descriptorLimit: descriptors,
            noNewPrivileges: noNewPrivileges,
            isNested: nested,
            grace: max(0, grace),
            logFileSize: max(1, logSize),
            logFileCount: max(1, logFiles)
        )
    }
}

/// A control group to make, and what to write into it.
struct GroupOrder: Sendable, Hashable {
    struct Setting: Sendable, Hashable {
        var file: String
        var value: String
        /// What it limits, for people; nil where nobody misses it.
        var limit: String?
    }

    var path: String
    var settings: [Setting]

    init(path: String, settings: [Setting]) {
        self.path = path
        self.settings = settings
    }

    var json: JSONValue {
        [
            "path": .string(path),
            "settings": .array(
                settings.map { [.string($0.file), .string($0.value), $0.limit.map { .string($0) } ?? .null] }
            ),
        ]
    }

    init?(_ json: JSONValue) {
        guard let path = json.object?["path"]?.string, case .array(let settings) = json.object?["settings"] else {
            return nil
        }
        self.path = path
        self.settings = settings.compactMap { setting in
            guard case .array(let parts) = setting, parts.count == 3, let file = parts[0].string,
                let value = parts[1].string
            else { return nil }
            return Setting(file: file, value: value, limit: parts[2].string)
        }
    }
}
