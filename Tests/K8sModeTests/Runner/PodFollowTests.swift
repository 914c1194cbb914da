import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct PodFollowTests {
    private func with(_ body: @escaping @Sendable (RunnerFixture, FakePodLogs, ObservedRun) async throws -> Void)
        async throws
    {
        try await RunnerFixture.with { fixture in
            try await fixture.runner.start(try liveSpec("b"), attempt: 0)
            let run = try one(try await fixture.runner.runs(of: .live, id: "b"))
            try await body(fixture, FakePodLogs(fixture.cluster, pod: "bot-b"), run)
        }
    }

    /// Follows in the background while something is done.
    private func following(
        _ fixture: RunnerFixture,
        _ run: ObservedRun,
        _ taken: TakenLines,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do throws(RunnerError) {
                    try await fixture.runner.follow(run, after: taken.position, waiting: true) { taken.take($0) }
                } catch {
                    guard error.code != .cancelled else { return }
                    Issue.record("following ended: \(error), after \(taken.lines)")
                }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func read(_ fixture: RunnerFixture, _ run: ObservedRun, _ taken: TakenLines) async throws {
        try await fixture.runner.follow(run, after: taken.position, waiting: false) { taken.take($0) }
    }

    @Test func f19EveryLineComesOnceAcrossBrokenConnections() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            let taken = TakenLines()
            try await following(fixture, run, taken) {
                for number in 0..<30 {
                    // Many lines are alike, and have one time.
                    logs.write(Int64(number / 10), "same\n")
                    if number % 7 == 6 {
                        try await eventually { taken.lines.count == number + 1 }
                        logs.breakOff()
                    }
                }
                try await eventually { taken.lines.count == 30 }
            }
            #expect(taken.lines == Array(repeating: "same", count: 30) && taken.gaps == 0)
        }
    }

    @Test func f19APositionSurvivesARestartOfTheRunner() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            for number in 0..<10 { logs.write(5, "\(number)\n") }
            let taken = TakenLines()
            try await read(fixture, run, taken)
            #expect(taken.lines.count == 10)
            let text = try #require(taken.position?.text)
            #expect(text.utf8.count <= 200 && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            logs.write(5, "9\n")
            logs.write(20, "end\n")
            let other = try RunnerFixture(cluster: fixture.cluster)
            defer { other.server.stop() }
            try await other.running { try await read(other, run, taken) }
            #expect(taken.lines == (0..<10).map { "\($0)" } + ["9", "end"] && taken.gaps == 0)
        }
    }

    @Test func f19AContainerThatIsStartedAnewIsReadOnFromItsPredecessorsEnd() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            let taken = TakenLines()
            logs.write(1, "first\n")
            try await read(fixture, run, taken)
            logs.write(2, "last words\n")
            logs.write(2, "unended")
            logs.end()
            logs.start("docker://2")
            logs.write(3, "second\n")
            try await following(fixture, run, taken) {
                try await eventually("the second's line") { taken.lines.count == 4 }
                logs.write(4, "more\n")
                try await eventually("more of it") { taken.lines.count == 5 }
                logs.end()
                logs.start("docker://3")
                logs.write(5, "third\n")
                try await eventually("the third's line") { taken.lines.count == 6 }
            }
            #expect(taken.lines == ["first", "last words", "unended", "second", "more", "third"] && taken.gaps == 0)
            // Once more there is nothing new.
            try await read(fixture, run, taken)
            #expect(taken.lines.count == 6)
        }
    }

    @Test func whatWasLostBetweenContainersIsAGap() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            logs.write(1, "one\n")
            let taken = TakenLines()
            try await read(fixture, run, taken)
            for id in 2...4 {
                logs.end()
                logs.start("docker://\(id)")
                logs.write(Int64(id), "of \(id)\n")
            }
            try await read(fixture, run, taken)
            #expect(taken.lines == ["one", "of 3", "of 4"] && taken.gaps == 1)
        }
    }

    @Test func aLogThatHasTurnedOverIsAGapAndReadOn() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            for number in 0..<20 { logs.write(Int64(number), "\(number)\n") }
            let taken = TakenLines()
            try await read(fixture, run, taken)
            for number in 20..<40 { logs.write(Int64(number), "\(number)\n") }
            // Its front is gone, the place is still there.
            logs.lose(15)
            try await read(fixture, run, taken)
            #expect(taken.lines == (0..<40).map { "\($0)" } && taken.gaps == 0)
            for number in 40..<60 { logs.write(Int64(number), "\(number)\n") }
            logs.lose(50)
            try await read(fixture, run, taken)
            #expect(taken.lines == ((0..<40).map { "\($0)" } + (50..<60).map { "\($0)" }) && taken.gaps == 1)
        }
    }

    @Test func aFollowingEndsWithItsPod() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            let taken = TakenLines()
            async let follow: Void = fixture.runner.follow(run, after: nil, waiting: true) { taken.take($0) }
            logs.write(1, "a\n")
            try await eventually { taken.lines == ["a"] }
            logs.write(2, "b")
            logs.end(publishes: false)
            fixture.cluster.drop("pods", "bot-b")
            try await follow
            #expect(taken.lines == ["a", "b"])
            let gone = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.follow(run, after: nil, waiting: false) { taken.take($0) }
            }
            #expect(gone?.code == .gone)
        }
    }

    @Test func aPodThatHasFailedIsReadToItsEnd() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            logs.write(1, "a\n")
            logs.end()
            fixture.cluster.change("pods", "bot-b") { $0[["status", "phase"]] = "Failed" }
            let taken = TakenLines()
            try await fixture.runner.follow(run, after: nil, waiting: true) { taken.take($0) }
            #expect(taken.lines == ["a"])
        }
    }

    @Test func anEndedContainerWhoseLogIsGoneIsAGap() async throws {
        try await with { fixture, logs, run in
            logs.start("docker://1")
            logs.write(1, "a\n")
            logs.end()
            logs.complain("unable to retrieve container logs for docker://1")
            logs.start("docker://2")
            logs.write(2, "b\n")
            let taken = TakenLines()
            try await read(fixture, run, taken)
            #expect(taken.lines == ["b"] && taken.gaps == 1)
        }
    }

    @Test func whatCantBeReadIsSaid() async throws {
        try await with { fixture, logs, run in
            let taken = TakenLines()
            // Nothing was started yet.
            try await read(fixture, run, taken)
            logs.start("docker://1")
            for text in ["", "x", "k1.0123456789abcdef.x", "1.2.3", String(repeating: "k", count: 300)] {
                let error = await runnerFailure { () async throws(RunnerError) in
                    try await fixture.runner.follow(run, after: OutputPosition(text: text), waiting: false) { _ in }
                }
                #expect(error?.code == .refused)
            }
            fixture.cluster.override { $0.path.hasSuffix("/log") ? .status(403, "Forbidden") : nil }
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.follow(run, after: nil, waiting: true) { _ in }
            }
            #expect(error?.code == .refused && error?.message.contains("pods/log") == true)
            #expect(taken.lines.isEmpty)
        }
    }

    @Test func anErrorOfTheOneWhoTakesEndsTheFollowingAtTheLastPlace() async throws {
        struct Full: Error {}
        try await with { fixture, logs, run in
            logs.start("docker://1")
            logs.write(1, "a\n")
            let error = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.follow(run, after: nil, waiting: true) { _ in throw Full() }
            }
            #expect(error?.code == .unavailable && error?.cause is Full)
            let taken = TakenLines()
            try await read(fixture, run, taken)
            #expect(taken.lines == ["a"])
        }
    }

    @Test func theLastLinesAreThoseOfTheNewestContainerThatHasSome() async throws {
        try await with { fixture, logs, run in
            @Sendable func last(_ limit: Int) async throws -> [String] {
                try await fixture.runner.lastLines(of: run, limit: limit).map(\.text)
            }
            var lines = try await last(3)
            #expect(lines.isEmpty)
            logs.start("docker://1")
            for number in 0..<10 { logs.write(1, "\(number)\n") }
            lines = try await last(3)
            #expect(lines == ["7", "8", "9"])
            logs.end()
            logs.start("docker://2")
            lines = try await last(1)
            #expect(lines == ["9"])
            lines = try await last(0)
            #expect(lines.isEmpty)
            fixture.cluster.drop("pods", "bot-b")
            let gone = await runnerFailure { () async throws(RunnerError) in
                try await fixture.runner.lastLines(of: run, limit: 3)
            }
            #expect(gone?.code == .gone)
        }
    }
}
