import Foundation
import Model
import TestSupport
import Testing

@testable import runtime_cli

@Suite struct SettingFuzzTests {
    private static let known: Set = ["mongo-uri", "stop-grace", "log-level", "label", "list", "other"]

    @Test func anySettingsFileIsSettingsThatAreKnownOrAnErrorThatNamesTheFile() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.file("settings.yaml")
        var read = 0
        try fuzz(try Corpus("settings", in: .module), count: 1500, longest: 3000) { bytes, _ in
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                let settings = try SettingsFile.read(path, known: Self.known)
                read += 1
                try must(Self.known.isSuperset(of: settings.keys), "\(settings.keys)")
            } catch let error as SettingError {
                let text = "\(error)"
                try must(text.utf8.count < 2000 && text.contains("settings.yaml"), text)
                // A key may be shown, the values never.
                guard !text.contains("unknown setting") && !text.contains("twice") else { return }
                try must(!text.contains("hunter2"), text)
            }
        }
        #expect(read > 20)
    }

    @Test func thePasswordOfAnyURLIsAmongItsSecrets() throws {
        try fuzz(try Corpus("urls", in: .module), count: 4000, longest: 500) { bytes, _ in
            let junk = String(decoding: bytes, as: UTF8.self)
            _ = URLCredentials.secrets(in: junk, isToken: true)
            let secrets = URLCredentials.secrets(in: "mongodb://u:hunter2@h/" + junk)
            try must(secrets.contains { $0.hasPrefix("hunter2") }, "\(secrets)")
        }
    }
}
