import ArgumentParser
import Foundation
import Testing

@testable import runtime_cli

/// `docs/configuration.md` says what the code does.
struct ConfigurationPage {
    let text: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        text = try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
    }

    /// The cells of the row that begins with this name.
    func row(_ name: String) -> [String]? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("| `\(name)` |") }
        return line?.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}

@Suite struct ConfigurationPageTests {
    @Test(arguments: SettingKey.all)
    func everySettingStandsInThePageWithItsNames(_ key: SettingKey) throws {
        let cells = try #require(try ConfigurationPage().row(key.name))
        #expect(cells.count == 6)
        let arguments = ["--\(key.name)", "x"]
        let hasFlag =
            (try? BotRunnerCommand.parse(arguments)) != nil || (try? BotSchedulerCommand.parse(arguments)) != nil
        #expect(cells[1].contains("`--\(key.name)`") == hasFlag)
        #expect(cells[2] == key.variables.map { "`\($0)`" }.joined(separator: ", "))
    }

    @Test func nothingElseStandsThereAsASetting() throws {
        let names = try ConfigurationPage().text.matches(of: /(?m)^\| `([a-z-]+)` \| (`--|\|)/).map { String($0.1) }
        #expect(Set(names) == Set(SettingKey.all.map(\.name)))
    }

    @Test(arguments: [CommandExit.unavailable, CommandExit.overdue, CommandExit.configuration].map(\.rawValue))
    func everyExitCodeStandsThere(_ code: Int32) throws {
        #expect(try ConfigurationPage().text.contains("\n| \(code) |"))
    }
}
