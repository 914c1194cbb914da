import Foundation
import Model
import Runtime
import TestSupport
import Testing

@testable import runtime_cli

@Suite struct SettingsFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ text: String) throws -> RunnerSettings {
        let path = try folder.write("settings.yaml", text)
        let file = try SettingsFile.read(path, known: Set(SettingKey.all.map(\.name)))
        return try RunnerSettings(SettingSources(file: file, filePath: path))
    }

    private func message(_ text: String) -> String {
        let error = #expect(throws: SettingError.self, "\(text)") { _ = try read(text) }
        return error?.description ?? ""
    }

    @Test func valuesReadAsFlagsDo() throws {
        let settings = try read(
            """
            # Comments are fine.
            store: /bots
            cpu-limit: 2
            read-only-root: no
            process-limit: 0100
            instance: "blue"
            image:
              python3.11: mirror/python:3.11-slim
              nodejs20: mirror/node:20
            """
        )
        #expect(settings.store == .directory("/bots"))
        #expect(settings.builder.resources.cpuLimit == 2000)
        #expect(!settings.builder.sandbox.readOnlyRoot)
        #expect(settings.builder.sandbox.processLimit == 100)
        #expect(settings.instance == "blue")
        #expect(settings.builder.catalogue["nodejs20"]?.image == "mirror/node:20")
    }

    @Test func imagesMayBeAList() throws {
        let settings = try read("image: [python3.11=a, gcc13=b]")
        #expect(settings.builder.catalogue["python3.11"]?.image == "a")
        #expect(settings.builder.catalogue["gcc13"]?.image == "b")
    }

    @Test(arguments: ["", "# nothing\n", "---\n", "~\n"])
    func emptyFileSetsNothing(_ text: String) throws {
        #expect(try read(text).instance == "default")
    }

    @Test(arguments: ["instance:\n", "instance: ~\n", "instance: null\n"])
    func keyWithoutValueSetsNothing(_ text: String) throws {
        #expect(try read(text).instance == "default")
    }

    @Test(arguments: [
        ("stores: /a", "unknown setting \"stores\"; known are"), ("MONGO_URI: x", "unknown setting"),
        ("1: x", "unknown setting"),
        ("[a]: x", "unknown setting that is no text"), ("config: x", "unknown setting"),
        ("- store", "expected a mapping"), ("store", "expected a mapping"), ("\"\"", "expected a mapping"),
        ("store: [a, b]", "an array; expected a single value"), ("store: {a: b}", "an object; expected a single value"),
        ("image: python", "expected pairs"), ("image: [[a]]", "nested too deep"),
        ("image: {a: {b: c}}", "nested too deep"),
        ("image: [~]", "has null in it"), ("image: {gcc13: }", "is null; expected text"),
        ("image: {[a]: b}", "no text"),
        ("instance: \"\"", "is empty"), ("instance: 'null'\nlisten: x", "allowed are"),
        ("store: a\nstore: b", "\"store\" stands there twice"), ("a: b: c", "is no YAML: line 1"),
        ("a: \"b", "is no YAML: line"),
        ("store: *a", "is no YAML: line 1"), ("a: b\n\u{1}", "is no YAML"),
    ])
    func whatIsNoMappingOfSettingsIsAnError(_ text: String, _ problem: String) {
        let message = message(text)
        #expect(message.contains(problem), "\(message)")
        #expect(message.contains(folder.file("settings.yaml")))
        #expect(!message.contains("\n"))
    }

    @Test func aliasesCannotMultiply() {
        let levels = (1...40).map { "\($0 == 1 ? "" : ", ")&l\($0) [\($0 == 1 ? "x" : "*l\($0 - 1), *l\($0 - 1)")]" }
        #expect(message("image: [\(levels.joined())]").contains("nested too deep"))
    }

    @Test func f38BrokenFileDoesNotGiveItsSecretsAway() {
        for text in [
            "minio-secret-key: \"hush-hush\n", "minio-secret-key: hush-hush: x\n",
            "minio-secret-key: hush-hush\n\tx: y\n",
            "minio-secret-key: [hush-hush]\n", "minio-secret-key: {hush-hush: a}\n",
            "minio-endpoint: a:1\nminio-access-key: k\nminio-secret-key: hush-hush two\n",
        ] {
            let message = message(text)
            #expect(!message.contains("hush-hush"), "\(message)")
        }
    }

    @Test func fileThatCannotBeReadIsAnError() throws {
        let large = try folder.write("large.yaml", String(repeating: "#", count: (1 << 20) + 1))
        let binary = folder.file("binary.yaml")
        try requireWrite([0xff, 0xfe, 0x00], to: binary)
        for (path, problem) in [
            ("/nowhere/settings.yaml", "No such file"), (folder.path, "can't be read"), (large, "larger than 1 MiB"),
            (binary, "isn't UTF-8"), ("/dev/zero", "larger than 1 MiB"),
        ] {
            let error = #expect(throws: SettingError.self) { _ = try SettingsFile.read(path, known: []) }
            let message = error?.description ?? ""
            #expect(message.hasPrefix("--config: \"\(path)\"") && message.contains(problem), "\(message)")
        }
    }

    @Test(arguments: ["secret", "secret\n", "\nsecret\r\n", "secret\n\n"])
    func secretOfAFileIsItsTextWithoutLineEnds(_ text: String) throws {
        #expect(try SettingsFile.secret(folder.write("s", text), source: "X") == "secret")
    }
}

private func requireWrite(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}
