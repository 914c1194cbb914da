import Testing

@testable import runtime_cli

@Suite struct TextTableTests {
    @Test func columnsAreAsWideAsTheirWidestCell() {
        let table = TextTable.render(header: ["BOT", "STATUS"], rows: [["a-long-name", "running"], ["b", ""]])
        #expect(table == "BOT          STATUS\na-long-name  running\nb")
    }

    @Test func noRowsAreTheHeaderAlone() {
        #expect(TextTable.render(header: ["BOT", "STATUS"], rows: []) == "BOT  STATUS")
    }

    @Test(arguments: [
        "\n", "\r", "\t", "\u{1B}", "\u{7F}", "\u{9B}", "\u{202E}", "\u{2028}", "\u{200B}", "\u{E000}", "\0",
    ])
    func whatControlsATerminalIsShownAsAQuestionMark(_ control: String) {
        #expect(TextTable.render(header: ["BOT"], rows: [["a\(control)b"]]) == "BOT\na?b")
    }

    @Test func forgedRowStaysOneRow() {
        let table = TextTable.render(
            header: ["BOT", "STATUS"],
            rows: [["x\nreal  running", "stopped"], ["y\u{1B}[2J", "running"]]
        )
        #expect(table.split(separator: "\n").count == 3)
        #expect(!table.unicodeScalars.contains("\u{1B}"))
    }

    @Test func lettersOfAllKindsStay() {
        #expect(TextTable.render(header: ["BOT"], rows: [["bôt-日本-🤖"]]) == "BOT\nbôt-日本-🤖")
    }
}
