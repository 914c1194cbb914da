import Foundation
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import LocalMode

@Suite struct LocalCrashIntegrationTests {
    @Test(arguments: [true, false])
    func aKilledSupervisorLeavesNoSecondBot(_ usesControlGroups: Bool) async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(LocalSettings(stopGrace: .zero, usesControlGroups: usesControlGroups))
            let program = """
                import subprocess, time
                child = subprocess.Popen(['sleep', '985'], start_new_session=True)
                print('up', flush=True)
                while True: time.sleep(1)
                """
            let spec = try local.spec("k", program)
            try await runner.start(spec, attempt: 0)
            try await local.waitFor(runner, "k", line: "up")
            let status = try local.status("k")
            let tree = try local.processes("k")
            #expect(tree.count >= 2)
            status.supervisor.send(SIGKILL)
            try await eventually("the end of the supervisor") { !status.supervisor.isRunning }
            let exit = try #require(try await runner.runs(of: .live, id: "k").first?.exit)
            #expect(exit.code == 137)
            #expect(exit.platformError.contains("was killed"))
            // The same however often it is looked at.
            #expect(try await runner.runs(of: .live).first?.exit == exit)
            try await runner.start(spec, attempt: 1)
            for process in tree { #expect(!process.isRunning) }
            #expect(try await runner.runs(of: .live, id: "k").first?.isRunning == true)
            #expect(try await local.printed(runner, "k").count <= 1)
        }
    }

    @Test func removingAfterTheSupervisorWasKilledEndsTheBot() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("r", sleeper), attempt: 0)
            try await local.waitFor(runner, "r", line: "up")
            let status = try local.status("r")
            status.supervisor.send(SIGKILL)
            try await eventually("the end of the supervisor") { !status.supervisor.isRunning }
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "r").first))
            #expect(status.bot?.isRunning == false)
        }
    }

    @Test func aHungSupervisorIsKilledWithItsBot() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(LocalSettings(stopGrace: .zero))
            try await runner.start(try local.spec("h", sleeper), attempt: 0)
            let status = try local.status("h")
            status.supervisor.send(SIGSTOP)
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "h").first))
            #expect(!status.supervisor.isRunning)
            #expect(status.bot?.isRunning == false)
        }
    }

    /// Another process has the supervisor's number by now: it must be neither believed nor killed.
    @Test func aNumberThatChangedHandsIsNotBelieved() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("n", sleeper), attempt: 0)
            var status = try local.status("n")
            let real = status.supervisor
            real.send(SIGKILL)
            try await eventually("the end of the supervisor") { !real.isRunning }
            let stranger = try ChildProcess(["sleep", "984"])
            let identity = try #require(ProcessIdentity(running: stranger.pid))
            for process in [
                ProcessIdentity(pid: stranger.pid, startTime: identity.startTime &+ 1),
                ProcessIdentity(pid: stranger.pid, startTime: real.startTime),
            ] {
                status.supervisor = process
                status.bot = process
                try JSONFile.replace(local.run("n").status, status.json)
                #expect(try await runner.runs(of: .live, id: "n").first?.isRunning == false)
            }
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "n").first))
            #expect(stranger.termination == nil)
            #expect(identity.isRunning)
            stranger.killGroup()
            _ = await stranger.ended()
        }
    }

    @Test func afterAnotherStartOfTheMachineNothingIsTakenForRunning() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("b", sleeper), attempt: 0)
            var status = try local.status("b")
            let real = status
            status.boot = "another"
            try JSONFile.replace(local.run("b").status, status.json)
            #expect(try await runner.runs(of: .live, id: "b").first?.exit?.code == 137)
            try JSONFile.replace(local.run("b").status, real.json)
            #expect(try await runner.runs(of: .live, id: "b").first?.isRunning == true)
        }
    }

    @Test func aDamagedRecordIsAnErrorAndNotAnEmptyList() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("d", sleeper), attempt: 0)
            let record = try #require(try SystemFile.read(local.run("d").record))
            try SystemFile.replace(local.run("d").record, with: Array("{}".utf8))
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .live) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(local.run("d").record) == true)
            try SystemFile.replace(local.run("d").record, with: record)
        }
    }

    @Test func anInterruptedStartIsReplacedByTheNext() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let spec = try local.spec("i", sleeper)
            try await runner.start(spec, attempt: 0)
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "i").first))
            // A folder that got its name, and then nothing more happened.
            let folder = local.run("i")
            try SystemFile.makeFolder(folder.path)
            let record = RunRecord(
                reference: "\(folder.name).x",
                id: "i",
                kind: .live,
                hash: spec.hash,
                attempt: 0,
                createdAt: .now,
                boot: try ProcessIdentity.bootID(),
                groups: []
            )
            try JSONFile.replace(folder.record, record.json)
            #expect(try await runner.runs(of: .live, id: "i").first?.phase == .created)
            try await runner.start(spec, attempt: 3)
            #expect(try await runner.runs(of: .live, id: "i").first?.isRunning == true)
        }
    }
}
