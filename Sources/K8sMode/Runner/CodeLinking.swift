public import Model
public import Runtime
public import Util

/// Makes links from which a Pod fetches a program's code, so that no credential of the object store is in it.
public protocol CodeLinking: Sendable {
    /// A link for a version's code, valid for some time.
    /// - Throws: `RunnerError` with code `codeUnavailable` when the code can't be reached at the moment, `codeInvalid` when it
    ///   isn't there or can't be linked to.
    func link(for version: CustomBotVersion, of bot: BotID) async throws(RunnerError) -> CodeLink
}

/// What a Pod's init container is told of the code. Who has it may fetch the code, so it stands in no message and no log.
public struct CodeLink: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// The text of `/run/the0/code.json`: an object with `url`, and perhaps `sha256` and `state_url`.
    public let json: String
    /// Until when it is valid.
    public let expiresAt: Timestamp

    /// A link.
    /// - Parameters:
    ///   - json: an object with `url`, and perhaps `sha256` and `state_url`.
    ///   - expiresAt: until when it is valid.
    public init(json: String, expiresAt: Timestamp) {
        self.json = json
        self.expiresAt = expiresAt
    }

    /// How long it is valid, nothing else.
    public var description: String { "a code link until \(expiresAt)" }
    /// Nothing of the link, for debuggers and `dump` too.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What has to be known of a program to make a new link for its code, kept as an annotation: no part of it is secret.
struct LinkedProgram: Sendable, Hashable {
    let id: BotID
    let custom: CustomBotVersion

    init(_ executable: Executable) {
        id = executable.id
        custom = executable.custom
    }

    /// JSON text.
    var text: String {
        let code: JSONValue =
            switch custom.code {
            case .object(let key): ["key": .string(key)]
            case .directory(let path, let digest): ["path": .string(path), "digest": .string(digest)]
            }
        let value: JSONValue = [
            "id": .string(id.text), "version": .string(custom.version), "code": code,
            "name": .string(custom.config.name), "runtime": .string(custom.config.runtime),
            "type": .string(custom.config.type), "entrypoints": JSONValue(strings: custom.config.entrypoints),
        ]
        return value.text
    }

    /// Reads ``text``; nil for anything else.
    init?(text: String) {
        guard let object = (try? JSONValue.parse(text))?.object, let id = object["id"]?.string, !id.isEmpty,
            let code = object["code"]?.object
        else { return nil }
        let reference: CodeReference
        if let key = code["key"]?.string {
            reference = .object(key: key)
        } else if let path = code["path"]?.string, let digest = code["digest"]?.string {
            reference = .directory(path: path, digest: digest)
        } else {
            return nil
        }
        self.id = BotID(id)
        custom = CustomBotVersion(
            version: object["version"]?.string ?? "",
            code: reference,
            config: CustomBotConfig(
                name: object["name"]?.string ?? "",
                runtime: object["runtime"]?.string ?? "",
                type: object["type"]?.string ?? "",
                entrypoints: object["entrypoints"]?.strings ?? [:]
            )
        )
    }
}

extension CodeLink {
    /// What a Secret with the link says about it, so that it is renewed in time: halfway through its life.
    /// - Parameters:
    ///   - program: whose code the link is for.
    ///   - now: when the link was made.
    func annotations(for program: LinkedProgram, now: Timestamp) -> [String: String] {
        let life = max(.zero, expiresAt.duration(since: now))
        return [
            K8sAnnotation.program: program.text,
            K8sAnnotation.linkExpiry: RFC3339.string(expiresAt),
            K8sAnnotation.linkRenewal: RFC3339.string(now.advanced(by: life / 2)),
        ]
    }
}
