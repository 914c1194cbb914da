import DockerMode
import HTTP
import Model
import Runtime
import TestSupport
import Testing

/// Scheduled runs on the real engine, beside what every runner of slots promises.
@Suite struct SlotIntegrationTests {
    @Test func onlySchedulesStateIsRemovedByTheirRunner() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner(DockerSettings(stopGrace: .zero, keptKinds: [.scheduled]))
            try await runner.start(try engine.spec("live", sleeper), attempt: 0)
            for (id, slot) in [("kept", 60), ("gone", 60), ("going", 60), ("going", 120)] as [(BotID, Slot)] {
                try await runner.start(try engine.spec(id, kind: .scheduled, slot: slot, sleeper), attempt: 0)
            }
            for run in try await runner.runs(of: .live) { try await runner.remove(run) }
            for run in try await runner.runs(of: .scheduled) where run.id != "going" || run.slot == 60 {
                try await runner.remove(run)
            }
            try await runner.removeLeftovers(known: ["kept"])
            // One slot's state is that of all, and one of them still runs.
            #expect(try await engine.stateOwners() == ["going", "kept", "live"])
            try await engine.runner().removeLeftovers(known: [])
            #expect(try await engine.stateOwners() == ["going", "kept"])
        }
    }

    @Test func theOutputOfASlotIsFollowedWhileItRunsAndAfterItsEnd() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let program = "import os\nfor n in range(2000): os.write(1 + n % 2, b'line %d\\n' % n)\n"
            for slot in [60, 120] as [Slot] {
                try await runner.start(try engine.spec("lines", kind: .scheduled, slot: slot, program), attempt: 0)
            }
            let reader = FinalReader(runner: runner)
            runner.readFinally(with: reader)
            for run in try await runner.runs(of: .scheduled, id: "lines") {
                let collector = FollowCollector()
                await collector.follow(runner, run, atMost: 300)
                try await collector.follow(runner, run)
                collector.checkNumbers(2000)
                let whole = FollowCollector()
                try await whole.follow(runner, run, waiting: false)
                whole.checkNumbers(2000)
                try await runner.remove(run)
            }
            // It is read once more before each removal, as that of live bots.
            #expect(Set(reader.runs.map(\.slot)) == [60, 120])
            for collector in reader.collectors { collector.checkNumbers(2000) }
        }
    }

    @Test func f29TheEnginesOwnIdAndTheInstanceAreThePlatform() async throws {
        try await EngineFixture.with { engine in
            let info = try await engine.api.object(.get, "/info")
            let id = try #require(info["ID"]?.string)
            #expect(try await engine.runner().platform() == "docker/\(id)/\(engine.instance)")
            #expect(try await engine.runner(instance: "other").platform() == "docker/\(id)/other")
            let volumes = try await engine.api.object(.get, "/volumes")
            guard case .array(let list) = volumes["Volumes"] else { return }
            #expect(!list.contains { $0.object?["Name"]?.string?.hasPrefix("the0-platform") == true })
        }
    }

    @Test func f28AContainerThatWasNeverStartedIsNotStoppedAndItsSlotIsAConflictForAWhile() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let spec = try engine.spec("made", kind: .scheduled, slot: 60, sleeper)
            try await runner.start(spec, attempt: 0)
            let first = try #require(try await runner.runs(of: .scheduled).first)
            let container = try await engine.api.object(.get, "/containers/\(first.reference)/json")
            let name = try #require(container["Name"]?.string).dropFirst()
            let labels = try #require(container["Config"]?.object?["Labels"])
            try await runner.remove(first)
            // A scheduler that was killed between the two.
            _ = try await engine.api.object(
                .post,
                "/containers/create?name=\(name)",
                ["Image": "busybox:1.36.1", "Cmd": ["true"], "Labels": labels]
            )
            let made = try #require(try await runner.runs(of: .scheduled, id: "made").first)
            #expect(made.phase == .created)
            #expect(made.slot == 60)
            let start = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(start?.code == .conflict)
            let stop = await #expect(throws: RunnerError.self) { try await runner.stop(made) }
            #expect(stop?.code == .notStopped)
            let result = await #expect(throws: RunnerError.self) { try await runner.result(of: made, limit: 10) }
            #expect(result?.code == .conflict)
            try await runner.remove(made)
            try await runner.start(spec, attempt: 0)
            #expect(try await runner.runs(of: .scheduled, id: "made").first?.isRunning == true)
        }
    }
}
