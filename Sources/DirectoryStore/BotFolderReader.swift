import Model
import Runtime
import Synchronization

/// Reads folders with a program, remembering the digest of code that hasn't changed.
final class BotFolderReader: Sendable {
    private let root: String
    private let clock: FileClock
    private let vanishings: Vanishings
    private let digests = Mutex<[String: (fingerprint: String, digest: String)]>([:])

    init(root: String, clock: FileClock, vanishings: Vanishings) {
        self.root = root
        self.clock = clock
        self.vanishings = vanishings
    }

    /// Makes a bot of an instance and the folder it names; nil when its program is of another kind. Blocks while it reads.
    func bot(_ instance: BotInstance, of kind: ExecutableKind) throws(DocumentError) -> Bot? {
        guard let program = try program(instance, of: kind) else { return nil }
        return try bot(instance, program, config: try config(instance))
    }

    /// Makes a bot of what was read already and the folder's code. Blocks while it reads.
    func bot(_ instance: BotInstance, _ program: FolderProgram, config: JSONObject) throws(DocumentError) -> Bot {
        Bot(
            id: instance.id,
            isEnabled: Bot.enabled(top: instance.enabled, config: config["enabled"]),
            config: config,
            custom: CustomBotVersion(version: program.version, code: try code(instance), config: program.config)
        )
    }

    /// What the folder's `bot-config.yaml` says; nil when it is of another kind. Blocks while it reads.
    func program(_ instance: BotInstance, of kind: ExecutableKind) throws(DocumentError) -> FolderProgram? {
        let name = "\(instance.folder)/\(BotDirectory.programFile)"
        guard let text = try text(of: BotDirectory.programFile, instance) else {
            throw DocumentError(
                id: instance.id.text,
                field: "bot",
                problem:
                    "names the folder \(instance.folder.escapedForMessage), which has no \(BotDirectory.programFile)"
            )
        }
        let value: JSONValue
        do { value = try YAMLDocument.parse(text) } catch {
            throw DocumentError(id: instance.id.text, field: name, problem: error.description)
        }
        guard case .object(var object) = value else {
            throw DocumentError(id: instance.id.text, field: name, problem: "is \(value.kindName); expected a mapping")
        }
        // What is wrong elsewhere is for those who run this kind to report.
        guard (object["type"]?.string == "scheduled") == (kind == .scheduled) else { return nil }
        // A version such as 1.0 is a number to YAML, and a name such as off a boolean.
        for key in ["version", "name"] {
            guard let value = object[key], value.string == nil else { continue }
            object[key] = value == .null ? nil : .string(value.text)
        }
        let config = try CustomBotConfig(document: object, id: instance.id.text, path: "\(name): ")
        return FolderProgram(version: object["version"]?.string ?? "", config: config)
    }

    /// The parameters of an instance: its own, else those of its folder. Blocks while it reads.
    func config(_ instance: BotInstance) throws(DocumentError) -> JSONObject {
        if let own = instance.config { return own }
        return try folderConfig(instance)
    }

    private func folderConfig(_ instance: BotInstance) throws(DocumentError) -> JSONObject {
        let field = "\(instance.folder)/\(BotDirectory.configFile)"
        guard let text = try text(of: BotDirectory.configFile, instance) else {
            guard vanishings.isGone(field) else {
                throw DocumentError(id: instance.id.text, field: field, problem: BotDirectory.doubt)
            }
            return [:]
        }
        vanishings.saw(field)
        let value: JSONValue
        do { value = try JSONValue.parse(text) } catch {
            throw DocumentError(id: instance.id.text, field: field, problem: error.description)
        }
        guard case .object(let object) = value else {
            throw DocumentError(id: instance.id.text, field: field, problem: "is \(value.kindName); expected an object")
        }
        return object
    }

    private func code(_ instance: BotInstance) throws(DocumentError) -> CodeReference {
        let path = "\(root)/\(instance.folder)"
        let folder = CodeFolder(path: path)
        do throws(RunnerError) {
            let fingerprint = try folder.fingerprint()
            if let known = digests.withLock({ $0[path] }), known.fingerprint == fingerprint {
                return .directory(path: path, digest: known.digest)
            }
            for entry in [""] + (try folder.entries().filter { $0.kind != .link }.map { "/" + $0.path }) {
                // A folder's time tells of files that are missing for a moment.
                guard !TextFile.isBeingWritten(path + entry, clock: clock) else {
                    throw RunnerError(.codeUnavailable, "\((path + entry).escapedForMessage) is being written")
                }
            }
            let digest = try folder.digest()
            guard try folder.fingerprint() == fingerprint else {
                throw RunnerError(.codeUnavailable, "\(path.escapedForMessage) changed while it was read")
            }
            digests.withLock { $0[path] = (fingerprint, digest) }
            return .directory(path: path, digest: digest)
        } catch {
            throw DocumentError(id: instance.id.text, field: "code", problem: error.message)
        }
    }

    /// The text of a file in an instance's folder; nil when it isn't there.
    private func text(of file: String, _ instance: BotInstance) throws(DocumentError) -> String? {
        let field = "\(instance.folder)/\(file)"
        do throws(FileProblem) {
            return try TextFile.read("\(root)/\(instance.folder)/\(file)", limit: YAMLDocument.longest, clock: clock)
        } catch {
            throw DocumentError(id: instance.id.text, field: field, problem: error.description)
        }
    }
}

/// What a folder's `bot-config.yaml` says of its program.
struct FolderProgram: Sendable {
    let version: String
    let config: CustomBotConfig
}
