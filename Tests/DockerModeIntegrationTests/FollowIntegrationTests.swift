import DockerMode
import Model
import Runtime
import TestSupport
import Testing

/// Logs followed on the real engine.
@Suite struct FollowIntegrationTests {
    /// Ten thousand lines on both streams, as fast as it can.
    private static let shouter = """
        import os
        for n in range(10000): os.write(1 + n % 2, b'line %d\\n' % n)
        """

    @Test func f19TenThousandLinesComeOnceAndInOrderHoweverOftenTheFollowerIsCancelled() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            try await runner.start(try engine.spec("shouter", Self.shouter), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let collector = FollowCollector()
            var numbers = SeededGenerator(seed: 19)
            for _ in 0..<25 {
                // Broken off after some lines, in the middle of a batch's taking: what failed there wasn't taken.
                let most = Int.random(in: 1...900, using: &numbers)
                await collector.follow(runner, run, atMost: most)
            }
            try await collector.follow(runner, run)
            collector.checkNumbers(10_000)
            let old = collector.count
            try await collector.follow(runner, run)
            #expect(collector.count == old)
            try await runner.remove(run)
            await #expect { try await collector.follow(runner, run) } throws: { error in
                (error as? RunnerError)?.code == .gone
            }
        }
    }

    @Test func f19NothingIsLostOrDoubledAsTheEnginesFilesTurnOver() async throws {
        try await EngineFixture.with { engine in
            // Each file has some 9000 lines, and all of them are kept. Smaller ones turn over twice before an engine that is busy
            // has looked, and it gives none of the lines between.
            var settings = DockerSettings(stopGrace: .seconds(2))
            settings.logFileSize = "1m"
            settings.logFileCount = 10
            let runner = engine.runner(settings)
            let program = """
                import os, time
                for n in range(30000):
                    os.write(1 + n % 2, b'line %d\\n' % n)
                    if n % 50 == 0: time.sleep(0.01)
                """
            try await runner.start(try engine.spec("turning", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let collector = FollowCollector()
            try await collector.follow(runner, run)
            collector.checkNumbers(30_000)
            try await runner.remove(run)
        }
    }

    @Test func f19EachLineOfABotThatWhispersComesAtOnce() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let program = "import time\nwhile True:\n    print(time.time_ns(), flush=True)\n    time.sleep(0.02)\n"
            try await runner.start(try engine.spec("whisper", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let collector = FollowCollector()
            let following = Task { try await collector.follow(runner, run) }
            try await collector.wait(for: 20)
            following.cancel()
            let error = await #expect(throws: RunnerError.self) { try await following.value }
            #expect(error?.code == .cancelled)
            // Lines came as they were written, not many together.
            #expect(collector.batches > 10)
        }
    }

    @Test func f20ABotThatLivesATenthOfASecondIsReadToItsLastByteBeforeItsRemoval() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let reader = FinalReader(runner: runner)
            runner.readFinally(with: reader)
            let program = "import os\nfor n in range(50): os.write(1, b'line %d\\n' % n)\nos.write(1, b'no end')\n"
            try await runner.start(try engine.spec("short", program), attempt: 0)
            _ = try await engine.exit(runner, "short")
            let run = try #require(try await runner.runs(of: .live).first)
            try await runner.remove(run)
            let collector = try #require(reader.collectors.first)
            #expect(reader.collectors.count == 1)
            #expect(collector.texts.last == "no end")
            #expect(collector.count == 51)
        }
    }

    @Test func f20AnEndedRunThatIsReplacedIsReadFirst() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let reader = FinalReader(runner: runner)
            runner.readFinally(with: reader)
            let spec = try engine.spec("again", "print('the last words')\n")
            try await runner.start(spec, attempt: 0)
            _ = try await engine.exit(runner, "again")
            let first = try #require(try await runner.runs(of: .live).first)
            try await runner.start(spec, attempt: 1)
            #expect(reader.runs.map(\.reference) == [first.reference])
            #expect(reader.runs.first?.id == "again")
            #expect(reader.runs.first?.exit != nil)
            #expect(reader.collectors.first?.texts == ["the last words"])
            _ = try await engine.exit(runner, "again")
        }
    }

    @Test func f20WhatABotWritesWhileItIsStoppedIsRead() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let reader = FinalReader(runner: runner)
            runner.readFinally(with: reader)
            let program = """
                import signal, sys, time
                def end(number, frame):
                    print('stopping', flush=True)
                    sys.exit(0)
                signal.signal(signal.SIGTERM, end)
                print('up', flush=True)
                while True: time.sleep(1)
                """
            try await runner.start(try engine.spec("stopped", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let up = FollowCollector()
            let following = Task { try await up.follow(runner, run) }
            try await up.wait(for: 1)
            following.cancel()
            _ = await following.result
            try await runner.remove(run)
            #expect(reader.collectors.first?.texts.contains("stopping") == true)
        }
    }

    @Test func aLineOfTenMegabytesIsCutAndBytesAreKeptAsTheyAre() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let program = """
                import os, sys
                line = bytes(b for b in range(256) if b != 10)
                sys.stdout.buffer.write(line + b'\\n')
                sys.stdout.buffer.write(b'x' * 10000000 + b'\\n')
                sys.stdout.buffer.write(b'\\xff\\xfe\\0end\\n')
                """
            try await runner.start(try engine.spec("binary", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let collector = FollowCollector()
            try await collector.follow(runner, run)
            let lines = collector.lines
            try #require(
                lines.count == 3,
                "\(lines.map { "\($0.bytes.count)+\($0.cut) \($0.bytes.prefix(20)) \($0.bytes.suffix(20))" }), \(collector.gaps) gaps"
            )
            #expect(lines[1].bytes.count == OutputText.longest)
            #expect(lines[1].cut == 10_000_000 - OutputText.longest)
            // The engine's driver keeps logs as JSON: what is no UTF-8 has become U+FFFD before it gets here.
            #expect(lines[0].bytes.starts(with: Array(0..<10) + Array(11..<128)))
            #expect(lines[2].bytes.suffix(4) == [0] + Array("end".utf8))
            try await runner.remove(run)
        }
    }
}

/// Logs followed while their engine is killed, and on an engine that isn't Docker.
@Suite struct FollowOutageIntegrationTests {
    @Test func f19AnEngineThatIsKilledAndStartedAgainLosesAndDoublesNothing() async throws {
        let own = try await PrivateEngine.start(images: ["python", "busybox"])
        let failure: (any Error)?
        do {
            try await EngineFixture.with(connection: DockerConnection(unixSocket: own.socket)) { engine in
                let runner = engine.runner()
                let program = """
                    import os, time
                    for n in range(3000):
                        os.write(1 + n % 2, b'line %d\\n' % n)
                        time.sleep(0.002)
                    """
                try await runner.start(try engine.spec("outlives", program), attempt: 0)
                let run = try #require(try await runner.runs(of: .live).first)
                let collector = FollowCollector()
                let following = Task { try await collector.follow(runner, run) }
                try await collector.wait(for: 500)
                try await own.crash()
                try await own.start()
                try await following.value
                #expect(collector.gaps == 0)
                // What the killed engine had taken from the bot and not written yet is nobody's; what it has is compared.
                let whole = FollowCollector()
                try await whole.follow(runner, run, waiting: false)
                #expect(collector.lines == whole.lines)
                #expect(whole.count > 500)
                try await runner.remove(run)
            }
            failure = nil
        } catch {
            failure = error
        }
        await own.stop()
        if let failure { throw failure }
    }

    @Test func f19LogsAreFollowedOnPodmanToo() async throws {
        let podman = try await PodmanService.start(withPython: true)
        try await EngineFixture.with(connection: DockerConnection(unixSocket: podman.socket)) { engine in
            let runner = engine.runner()
            let program = """
                import os, time
                for n in range(2000):
                    os.write(1 + n % 2, b'line %d\\n' % n)
                    if n % 100 == 0: time.sleep(0.2)
                os.write(1, b'line %d\\n' % 2000)
                os.write(1, b'x' * 40000 + b'y' * 40000 + b'\\n')
                """
            try await runner.start(try engine.spec("shouter", program), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let collector = FollowCollector()
            for _ in 0..<5 { await collector.follow(runner, run, atMost: 200) }
            try await collector.follow(runner, run)
            let long = try #require(collector.lines.last)
            #expect(long.bytes == [UInt8](repeating: 0x78, count: 40_000) + [UInt8](repeating: 0x79, count: 40_000))
            collector.checkNumbers(2001, before: 1)
            try await runner.remove(run)
        }
        await podman.stop()
    }
}
