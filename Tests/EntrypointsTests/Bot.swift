import Entrypoints
import Foundation

/// A bot in temporary directories: its code, and the files of its kind beside it.
struct Bot: ~Copyable {
    /// A shell that must be able to run the scripts.
    enum Shell: String, CaseIterable, Sendable {
        case dash
        case busybox

        var command: [String] {
            switch self {
            case .dash: ["/bin/dash"]
            case .busybox: ["/bin/busybox", "sh"]
            }
        }
    }

    let kind: EntrypointKind
    let root: URL
    var environment: [String: String]
    var shell = Shell.dash

    var code: URL { root.appending(path: "code dir") }
    var scripts: URL { root.appending(path: "the 0") }
    /// Where stand-ins for commands go; first on PATH.
    var commands: URL { root.appending(path: "commands") }

    init(
        _ kind: EntrypointKind,
        _ entrypoint: String,
        files: [String: String] = [:],
        id: String = "bot-1",
        config: String = "{}"
    ) throws {
        self.kind = kind
        root = FileManager.default.temporaryDirectory.appending(path: "entrypoints-\(UUID().uuidString)")
        environment = kind.environment(entrypoint: entrypoint)
        for directory in [code, scripts, commands] {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }
        environment["BOT_ID"] = id
        environment["BOT_CONFIG"] = config
        environment["CODE_MOUNT_DIR"] = "bot"
        environment["THE0_CODE_DIR"] = code.path(percentEncoded: false)
        environment["HOME"] = "/nonexistent"
        environment["PATH"] = commands.path(percentEncoded: false) + ":/usr/local/bin:/usr/bin:/bin"
        for file in kind.files {
            let url = scripts.appending(path: file.name)
            try BotProcess.files.withLock { try file.contents.write(to: url, atomically: false, encoding: .utf8) }
            try setMode(file.executable ? 0o555 : 0o444, of: url)
        }
        for (path, text) in files { try write(path, text) }
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// The place of a file of the bot's; names may have any character.
    func file(_ path: String) -> URL { code.appending(path: path) }

    func write(_ path: String, _ text: String) throws {
        let url = file(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try BotProcess.files.withLock { try Data(text.utf8).write(to: url) }
    }

    /// Puts a shell script on PATH.
    func command(_ name: String, _ script: String) throws {
        let url = commands.appending(path: name)
        try BotProcess.files.withLock { try Data(("#!/bin/sh\n" + script).utf8).write(to: url) }
        try setMode(0o755, of: url)
    }

    func run(terminateAfter marker: String? = nil, limit: Double = 60) async throws -> Ended {
        let script = kind.command(directory: scripts.path(percentEncoded: false))[1]
        return try await BotProcess.run(
            shell.command + [script],
            environment: environment,
            directory: root,
            terminateAfter: marker,
            limit: limit
        )
    }

    /// The text of a file of the bot's, nil if there is none.
    func text(_ path: String) -> String? {
        (try? Data(contentsOf: file(path))).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The names in the code's directory.
    func names() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: code.path(percentEncoded: false)))
    }

    /// `result.json`, if it is an object of texts.
    func result() throws -> [String: String]? {
        guard let text = text("result.json") else { return nil }
        return try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
    }
}

func setMode(_ mode: Int, of url: URL) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path(percentEncoded: false))
}

/// Values that would run commands, or break quoting, if they were pasted into a script.
let hostileValues = [
    "it's",
    "\"; touch injected; \"",
    "$(touch injected)",
    "`touch injected`",
    "a\nb\ntouch injected\n",
    "' || touch injected || '",
    "${HOME} $0 \\ \\n %s %n",
    "żółw 🐢 \u{202e}",
    "-n",
]

/// `[id, config]` as the bots of these tests print it.
struct IdAndConfig: Decodable {
    var id: String
    var config: [String: String]

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        id = try container.decode(String.self)
        config = try container.decode([String: String].self)
    }
}
