import ArgumentParser
import Testing

@testable import runtime_cli

@Suite struct ErrorLineTests {
    private struct Failure: Error, CustomStringConvertible { let description: String }

    @Test func errorIsOneLineThatCannotControlATerminal() {
        #expect(CommandExit.line(Failure(description: "a\nb\u{1B}[2J")) == "error: a?b?[2J")
    }

    @Test func f38CredentialsOfURLsAreMasked() {
        #expect(CommandExit.line(Failure(description: "mongodb://me:hush@h: no")) == "error: mongodb://me:***@h: no")
    }

    @Test func exitCodesAreThoseOfSysexits() {
        #expect(CommandExit.unavailable.rawValue == 69)
        #expect(CommandExit.overdue.rawValue == 70)
        #expect(CommandExit.configuration.rawValue == 78)
    }
}
