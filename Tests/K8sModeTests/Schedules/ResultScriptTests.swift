import Foundation
import Runtime
import TestSupport
import Testing

@testable import K8sMode

/// The script that hands a run's result over, run by real shells.
@Suite struct ResultScriptTests {
    static let shells: [[String]] = [["/bin/sh"], ["busybox", "sh"]]

    private let folder: TemporaryFolder
    private var message: String { folder.file("message") }

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("once.sh", ResultScript.text)
        try folder.write("message", "what was there before")
        try folder.write("bot/none", "")
    }

    private var environment: [String: String?] {
        ["THE0_MESSAGE": message, "THE0_CODE_DIR": folder.file("bot")]
    }

    private func run(_ shell: [String], _ bot: String) async throws -> (end: Termination, message: String) {
        let command = shell + [folder.file("once.sh"), "/bin/sh", "-c", bot]
        let ended = try await runCommand(command, environment: environment, folder: folder.file("bot"))
        return (ended.termination, try String(contentsOfFile: message, encoding: .utf8))
    }

    @Test func shellcheckAcceptsIt() async throws {
        let ended = try await runCommand(["shellcheck", "--shell=sh", "--severity=style", folder.file("once.sh")])
        #expect(ended.termination == .exited(0), "\(String(decoding: ended.output, as: UTF8.self))")
    }

    @Test(arguments: shells)
    func theResultAndTheExitCodeAreTheBotsOwn(shell: [String]) async throws {
        let good = try await run(shell, #"printf '{"a": 1}\n' >result.json"#)
        #expect(good.end == .exited(0) && good.message == "{\"a\": 1}\n")
        let bad = try await run(shell, #"echo '{}' >result.json; exit 7"#)
        #expect(bad.end == .exited(7) && bad.message == "{}\n")
        let killed = try await run(shell, "rm -f result.json; kill -KILL $$")
        #expect(killed.end == .exited(137) && killed.message == "")
    }

    @Test(arguments: shells)
    func whatIsNoResultIsSaid(shell: [String]) async throws {
        let none = try await run(shell, "exit 3")
        #expect(none.end == .exited(3) && none.message == "")
        #expect(try ResultScript.result(in: none.message, limit: 99) == nil)
        let largest = try await run(shell, "head -c 4096 /dev/zero | tr '\\0' x >result.json")
        #expect(largest.message.utf8.count == 4096)
        let large = try await run(shell, "head -c 4097 /dev/zero >result.json")
        #expect(large.end == .exited(0) && large.message == "the0: result.json has 4097 bytes")
        let link = try await run(shell, "rm result.json; ln -s /etc/passwd result.json")
        #expect(link.message == "the0: result.json is no file")
        let folder = try await run(shell, "rm result.json; mkdir result.json")
        #expect(folder.message == "the0: result.json is no file")
        for text in [large.message, link.message] {
            let error = #expect(throws: RunnerError.self) { try ResultScript.result(in: text, limit: 9999) }
            #expect(error?.code == .refused)
            #expect(error?.message.hasSuffix("on Kubernetes it may be a file of at most 4096 bytes") == true)
        }
    }

    @Test(arguments: shells)
    func aStopReachesTheBotWhichEndsInItsOwnTime(shell: [String]) async throws {
        let bot = #"""
            trap 'echo "{\"stopped\":true}" >result.json; exit 42' TERM
            : >ready
            while :; do sleep 0.05; done
            """#
        let process = try ChildProcess(
            shell + [folder.file("once.sh"), "/bin/sh", "-c", bot],
            environment: environment,
            folder: folder.file("bot")
        )
        defer { process.killGroup() }
        try await eventually("the bot") { FileManager.default.fileExists(atPath: folder.file("bot/ready")) }
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(30)) == .exited(42))
        #expect(try String(contentsOfFile: message, encoding: .utf8) == "{\"stopped\":true}\n")
    }
}
