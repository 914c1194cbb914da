import Crypto
import Entrypoints
public import Model
import Util

/// What to run for a bot, told without naming a backend.
///
/// Its ``hash`` covers everything that should restart the bot when it changes, and nothing else. The start scripts are not
/// part of it: a new version of this program leaves running bots alone.
public struct LaunchSpec: Sendable, Hashable {
    /// The program, its parameters and why it runs.
    public let executable: Executable
    /// The language runtime, with the image to use.
    public let runtime: LanguageRuntime
    /// The entrypoint's path inside the code archive.
    public let entrypoint: String
    /// Limits and requests.
    public let resources: Resources
    /// How it is shut in.
    public let sandbox: Sandbox
    /// The environment the bot sees, by name.
    public let environment: [String: String]
    /// Identifies the specification: 64 hexadecimal digits, the same for specifications that need no restart between them.
    public let hash: String

    /// The bot's id.
    public var id: BotID { executable.id }

    /// The same to run, under terms of its platform that restart or change the run like everything else the ``hash`` covers.
    /// - Parameter terms: whatever tells them apart.
    public func under(_ terms: JSONValue) -> LaunchSpec {
        let content: JSONValue = ["spec": .string(hash), "terms": terms]
        return LaunchSpec(
            executable: executable,
            runtime: runtime,
            entrypoint: entrypoint,
            resources: resources,
            sandbox: sandbox,
            environment: environment,
            hash: SHA256.hash(data: Array(content.canonicalText.utf8)).hexText
        )
    }

    /// The parts of a config that steer this program and not the bot: changing them restarts nothing.
    public static let steeringFields = ["enabled", "execution"]

    /// A config as far as it is the bot's own affair.
    static func withoutSteering(_ config: JSONValue) -> JSONValue {
        guard case .object(var object) = config else { return config }
        for field in steeringFields { object[field] = nil }
        return .object(object)
    }
}

/// Makes launch specifications from bots: the one place where a runtime's name, quantities and paths become decisions.
public struct LaunchSpecBuilder: Sendable {
    /// The known language runtimes.
    public var catalogue: RuntimeCatalogue
    /// What a bot gets that asks for nothing.
    public var resources: Resources
    /// How bots are shut in.
    public var sandbox: Sandbox

    /// The longest config, in bytes of JSON: Linux passes no longer variable to a program (`MAX_ARG_STRLEN`, 128 KiB).
    public static let longestConfig = 131_072 - "BOT_CONFIG=".utf8.count - 1

    /// A builder with the operator's choices.
    public init(
        catalogue: RuntimeCatalogue = .standard,
        resources: Resources = .standard,
        sandbox: Sandbox = Sandbox()
    ) {
        self.catalogue = catalogue
        self.resources = resources
        self.sandbox = sandbox
    }

    /// Works out what to run.
    /// - Throws: `DocumentError` for an unknown runtime, a path that can't be an entrypoint, an invalid quantity, or a config
    ///   too long for an environment variable.
    public func spec(for executable: Executable) throws(DocumentError) -> LaunchSpec {
        let id = executable.id
        func failure(_ field: String, _ problem: String) -> DocumentError {
            DocumentError(id: id.text, field: field, problem: problem)
        }
        let program = executable.custom.config
        guard let runtime = catalogue[program.runtime] else {
            let error = CatalogueError(unknown: program.runtime, known: catalogue.all)
            throw failure("custom.config.runtime", error.description)
        }
        guard let entrypoint = program.botEntrypoint else {
            throw failure("custom.config.entrypoints.bot", "is missing; expected a path inside the code archive")
        }
        do { try validateEntrypoint(entrypoint, kind: runtime.entrypoint) } catch {
            throw failure("custom.config.entrypoints.bot", error.message)
        }
        let config = JSONValue.object(executable.config).text
        guard config.utf8.count <= LaunchSpecBuilder.longestConfig else {
            throw failure(
                "config",
                "is \(config.utf8.count) bytes as JSON; at most \(LaunchSpecBuilder.longestConfig) fit an environment variable"
            )
        }
        let resources = try Resources(config: executable.config, id: id, defaults: resources)
        return LaunchSpec(
            executable: executable,
            runtime: runtime,
            entrypoint: entrypoint,
            resources: resources,
            sandbox: sandbox,
            environment: environment(for: executable, config: config)
                .merging(runtime.entrypoint.environment(entrypoint: entrypoint)) { common, _ in common },
            hash: hash(of: executable, runtime: runtime, entrypoint: entrypoint, resources: resources)
        )
    }

    private func environment(for executable: Executable, config: String) -> [String: String] {
        [
            "BOT_ID": executable.id.text,
            "ID": executable.id.text,
            "BOT_CONFIG": config,
            "CONFIG": config,
            "BOT_TYPE": executable.kind == .live ? "realtime" : "scheduled",
            "CODE_MOUNT_DIR": "bot",
            "ENTRYPOINT_TYPE": "bot",
            "PYTHONDONTWRITEBYTECODE": "1",
            "STATE_DIR": "/state/.the0-state",
        ]
    }

    private func hash(
        of executable: Executable,
        runtime: LanguageRuntime,
        entrypoint: String,
        resources: Resources
    ) -> String {
        let code: JSONValue =
            switch executable.custom.code {
            case .object(let key): ["key": .string(key), "version": .string(executable.custom.version)]
            case .directory(_, let digest): ["digest": .string(digest)]
            }
        let content: JSONValue = [
            "format": 1,
            "id": .string(executable.id.text),
            "kind": .string(executable.kind.rawValue),
            "config": LaunchSpec.withoutSteering(.object(executable.config)),
            "code": code,
            "runtime": .string(runtime.name),
            "image": .string(runtime.image),
            "entrypoint": .string(entrypoint),
            "resources": [
                .integer(resources.memoryLimit), .integer(resources.memoryRequest),
                .integer(resources.cpuLimit), .integer(resources.cpuRequest),
            ],
            "sandbox": sandbox.json,
        ]
        return SHA256.hash(data: Array(content.canonicalText.utf8)).hexText
    }
}

extension Sandbox {
    fileprivate var json: JSONValue {
        let network =
            switch network {
            case .isolated: "isolated"
            case .host: "host"
            case .named(let name): "named:\(name)"
            }
        return [
            "user": .string(user.description),
            "readOnlyRoot": .bool(readOnlyRoot),
            "dropCapabilities": .bool(dropCapabilities),
            "noNewPrivileges": .bool(noNewPrivileges),
            "processLimit": .integer(processLimit),
            "temporarySize": .integer(temporarySize),
            "network": .string(network),
        ]
    }
}
