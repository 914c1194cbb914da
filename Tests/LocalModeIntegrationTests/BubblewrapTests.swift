import Foundation
import Model
import Runtime
import TestSupport
import Testing

@testable import LocalMode

@Suite struct LocalBubblewrapIntegrationTests {
    private static let settings = LocalSettings(confinement: .bubblewrap, stopGrace: .seconds(10))

    @Test func aBotSeesItsOwnFoldersAndNoHome() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(Self.settings)
            let program = """
                import os
                def writable(path):
                    try:
                        open(path + '/probe', 'w').close()
                        return True
                    except OSError:
                        return False
                print([writable(p) for p in ['/bot', '/state', '/tmp', '/usr', '/etc', '/the0']])
                print(os.path.exists('/root'), os.path.exists('/home'), os.getcwd(), os.environ['CODE_MOUNT_DIR'])
                print(len([p for p in os.listdir('/proc') if p.isdigit()]) < 6)
                raise SystemExit(5)
                """
            try await runner.start(try local.spec("b", program), attempt: 0)
            #expect(try await local.exit(runner, "b").code == 5)
            #expect(
                try await local.printed(runner, "b") == [
                    "[True, True, True, False, False, False]", "False False /bot bot", "True",
                ]
            )
        }
    }

    @Test func stoppingReachesTheBotInside() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(Self.settings)
            let program = """
                import signal, sys, time
                def stop(*_):
                    open('/state/bye', 'w').write('bye')
                    sys.exit(0)
                signal.signal(signal.SIGTERM, stop)
                print('up', flush=True)
                while True: time.sleep(1)
                """
            try await runner.start(try local.spec("s", program), attempt: 0)
            try await local.waitFor(runner, "s", line: "up")
            let begun = ContinuousClock.now
            try await runner.remove(try #require(try await runner.runs(of: .live, id: "s").first))
            #expect(ContinuousClock.now - begun < .seconds(8))
            let state = local.data.states + "/" + DataFolder.stateName(kind: .live, id: "s") + "/state"
            #expect(try SystemFile.read("\(state)/bye") == Array("bye".utf8))
        }
    }

    @Test func withoutBubblewrapItIsAnErrorThatNamesIt() async throws {
        try await LocalFixture.with { local in
            let error = await #expect(throws: RunnerError.self) {
                try await local.runner(Self.settings, path: "/nowhere")
            }
            #expect(error?.message.contains("bwrap") == true)
        }
    }
}
