import Foundation
import Logging
import Model
import Runtime
import TestSupport
import Testing

@testable import LocalMode

@Suite struct LocalLifeIntegrationTests {
    @Test(arguments: [0, 1, 7, 137, 255])
    func theExitCodeIsTheBotsOwn(_ code: Int) async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("e", "raise SystemExit(\(code))\n"), attempt: 0)
            let exit = try await local.exit(runner, "e")
            #expect(exit.code == code)
            #expect(!exit.outOfMemory)
            #expect(exit.platformError == "")
        }
    }

    @Test func aSignalIsAnExitCodeToo() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(
                try local.spec("e", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"),
                attempt: 0
            )
            #expect(try await local.exit(runner, "e").code == 137)
        }
    }

    @Test func memoryBeyondTheLimitEndsTheBotAndIsSaid() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = "block = bytearray(b'x' * (200 << 20))\nprint(len(block), flush=True)\n"
            try await runner.start(try local.spec("o", config: ["memory_limit": "32Mi"], program), attempt: 0)
            let exit = try await local.exit(runner, "o")
            if runner.groups.limits.contains("memory") {
                #expect(exit.outOfMemory)
                #expect(exit.code == 137)
            } else {
                #expect(exit.code == 1)
            }
        }
    }

    @Test func withoutControlGroupsEachProcessIsLimitedByItself() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(LocalSettings(stopGrace: .zero, usesControlGroups: false))
            let program = """
                try:
                    block = bytearray(200 << 20)
                except MemoryError:
                    raise SystemExit(9)
                """
            try await runner.start(try local.spec("o", config: ["memory_limit": "64Mi"], program), attempt: 0)
            #expect(try await local.exit(runner, "o").code == 9)
        }
    }

    @Test(arguments: [true, false])
    func aStubbornBotIsEndedWithItsWholeTree(_ usesControlGroups: Bool) async throws {
        try await LocalFixture.with { local in
            let settings = LocalSettings(stopGrace: .milliseconds(300), usesControlGroups: usesControlGroups)
            let runner = try await local.runner(settings)
            // Ignores SIGTERM; a grandchild leaves session and parent, and forgets its environment.
            let program = """
                import os, signal, time
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        os.execve('/bin/sleep', ['sleep', '987.\(getpid())'], {})
                    os._exit(0)
                print('up', flush=True)
                while True: time.sleep(1)
                """
            try await runner.start(try local.spec("s", program), attempt: 0)
            try await local.waitFor(runner, "s", line: "up")
            let supervisor = try local.status("s").supervisor
            let tree = try ProcessTable.descendants(of: [supervisor.pid])
            #expect(tree.count >= 2)
            let begun = ContinuousClock.now
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "s").first))
            #expect(ContinuousClock.now - begun >= .milliseconds(300))
            #expect(!supervisor.isRunning)
            for process in tree { #expect(!process.isRunning) }
        }
    }

    @Test func aBotThatEndsByItselfLeavesNothingRunning() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = """
                import subprocess
                child = subprocess.Popen(['sleep', '986'], start_new_session=True)
                print(child.pid, flush=True)
                """
            try await runner.start(try local.spec("c", program), attempt: 0)
            _ = try await local.exit(runner, "c")
            let pid = try #require(Int32(try await local.printed(runner, "c").first ?? ""))
            let line = ProcessLine(pid: pid)
            #expect(line == nil || line?.isRunning == false)
        }
    }

    @Test func stoppingIsGentleFirst() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(LocalSettings(stopGrace: .seconds(20)))
            let program = """
                import signal, sys, time
                def stop(*_):
                    open('/' + __import__('os').environ['STATE_DIR'] + '-bye', 'w').write('bye')
                    sys.exit(0)
                signal.signal(signal.SIGTERM, stop)
                print('up', flush=True)
                while True: time.sleep(1)
                """
            try await runner.start(try local.spec("g", program), attempt: 0)
            try await local.waitFor(runner, "g", line: "up")
            let begun = ContinuousClock.now
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "g").first))
            #expect(ContinuousClock.now - begun < .seconds(15))
            let state = local.data.states + "/" + DataFolder.stateName(kind: .live, id: "g") + "/state"
            #expect(try SystemFile.read("\(state)/.the0-state-bye") == Array("bye".utf8))
        }
    }

    @Test func stateOutlivesRunsAndCodeDoesNot() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = """
                import os
                state = os.environ['STATE_DIR']
                os.makedirs(state, exist_ok=True)
                seen = os.path.exists(state + '/mark')
                open(state + '/mark', 'w').write('x')
                print(seen, os.path.exists('left.txt'), flush=True)
                open('left.txt', 'w').write('x')
                """
            for expected in ["False False", "True False"] {
                try await runner.start(try local.spec("st", program), attempt: 0)
                _ = try await local.exit(runner, "st")
                #expect(try await local.printed(runner, "st") == [expected])
            }
            for run in try await runner.runs(of: .live) { try await runner.remove(run) }
            try await runner.removeLeftovers(known: ["st"])
            #expect(try SystemFile.names(in: local.data.states)?.count == 1)
            try await runner.removeLeftovers(known: [])
            #expect(try SystemFile.names(in: local.data.states) == [])
            #expect(try SystemFile.names(in: local.data.locks) == [])
        }
    }

    @Test func aMissingInterpreterIsNamed() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(path: "/nowhere")
            let spec = try local.spec("m", sleeper)
            let error = await #expect(throws: RunnerError.self) { try await runner.prepare(spec) }
            #expect(error?.code == .image)
            #expect(error?.message.contains("'python3'") == true)
            await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(try await runner.runs(of: .live).isEmpty)
        }
    }

    @Test func codeThatIsNoTarLeavesNothing() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let spec = try local.spec("t", sleeper)
            try local.code.spoil(spec)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .codeInvalid)
            #expect(try await runner.runs(of: .live).isEmpty)
        }
    }

    @Test func aSupervisorThatCannotStartIsAFailedStartThatLeavesNothing() async throws {
        try await LocalFixture.with { local in
            let runner = try await LocalRunner.open(
                directory: local.directory,
                instance: "test",
                code: local.code,
                supervisor: ["/bin/false"],
                path: "/usr/bin:/bin",
                executor: local.executor,
                logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let spec = try local.spec("f", sleeper)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .failedToStart)
            #expect(try await runner.runs(of: .live).isEmpty)
        }
    }

    @Test func programsInOtherLanguagesRunToo() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let node =
                "module.exports.main = (id, config) => console.log(id, config.a, process.cwd() === '/' + process.env.CODE_MOUNT_DIR)"
            let script = "#!/bin/sh\necho \"$BOT_ID $(basename \"$PWD\")\"\n"
            try await runner.start(
                try local.code.spec("n", runtime: "nodejs20", entrypoint: "main.js", files: ["main.js": node]),
                attempt: 0
            )
            try await runner.start(
                try local.code.spec("r", runtime: "rust-stable", entrypoint: "build/bot", files: ["build/bot": script]),
                attempt: 0
            )
            try await local.waitFor(runner, "n", line: "n 1 true")
            try await local.waitFor(runner, "r", line: "r bot")
        }
    }
}
