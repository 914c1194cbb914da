import Foundation
import TestSupport
import Testing

@Suite struct ChildProcessTests {
    @Test func outputAndExitCodeAreTold() async throws {
        let result = try await runCommand(["sh", "-c", "cat; echo wrong >&2; exit 3"], input: Data("in".utf8))
        #expect(result.text == "in")
        #expect(result.errorText == "wrong\n")
        #expect(result.termination == .exited(3))
    }

    @Test func muchOutputDoesNotBlock() async throws {
        let result = try await runCommand(["sh", "-c", "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2"])
        #expect(result.output.count == 5_000_000)
        #expect(result.errors.count == 5_000_000)
    }

    @Test func folderAndEnvironmentReachTheCommand() async throws {
        let folder = try TemporaryFolder()
        let text = try await requireCommand(
            ["sh", "-c", "pwd; echo \"$COLOUR ${HOME-none}\""],
            environment: ["COLOUR": "blue", "HOME": nil],
            folder: folder.path
        )
        #expect(text == "\(folder.path)\nblue none\n")
    }

    @Test func aCommandPastItsLimitIsKilledWithItsChildren() async throws {
        let folder = try TemporaryFolder()
        await #expect(throws: FixtureError.self) {
            try await runCommand(
                ["sh", "-c", "sleep 1000 & echo $! >child; wait"],
                folder: folder.path,
                within: .milliseconds(300)
            )
        }
        let child = try #require(Int32(try String(contentsOfFile: folder.file("child"), encoding: .utf8).dropLast()))
        try await eventually(within: .seconds(5), "the grandchild is gone") { !isAlive(child) }
    }

    @Test func signalsAreTold() async throws {
        let process = try ChildProcess(["sleep", "1000"])
        #expect(process.termination == nil)
        process.send(SIGTERM)
        #expect(await process.ended() == .signalled(SIGTERM))
    }

    @Test func aMissingProgramIsAnError() throws {
        #expect(throws: FixtureError.self) { try ChildProcess(["no-such-program"]) }
        #expect(throws: FixtureError.self) { try ChildProcess(["/no/such/program"]) }
    }

    @Test func aCancelledWaitEndsWhileTheProcessRuns() async throws {
        let process = try ChildProcess(["sleep", "1000"])
        let waiting = Task { await process.ended() }
        waiting.cancel()
        #expect(await waiting.value == nil)
        #expect(process.termination == nil)
    }

    @Test func aChildDiesWithAKilledParent() async throws {
        let folder = try TemporaryFolder()
        // The parent is a process as this one is: it ties its child to itself, and is then killed.
        let parent = try ChildProcess(
            ["sh", "-c", "setpriv --pdeathsig KILL sleep 1000 & echo $! >child; wait"],
            folder: folder.path
        )
        let child = try await eventuallyValue("the child's number") {
            Int32(try String(contentsOfFile: folder.file("child"), encoding: .utf8).dropLast())
        }
        // Before that it isn't tied yet.
        try await eventually("the child is what it becomes") {
            try String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8) == "sleep\n"
        }
        parent.send(SIGKILL)
        try await eventually("the child is gone") { !isAlive(child) }
    }

    private func isAlive(_ pid: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return !stat.contains(") Z ")
    }
}
