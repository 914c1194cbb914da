import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import K8sMode

/// What Pods that really run have written.
@Suite struct RunnerLogIntegrationTests {
    private static let sleeper = "while :; do /bin/busybox sleep 1; done\n"

    /// Follows in the background while something is done.
    private func following(
        _ stage: RunnerStage,
        _ run: ObservedRun,
        _ taken: TakenOutput,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await stage.runner.follow(run, after: taken.position, waiting: true) { taken.take($0) }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    @Test func f19TenThousandLinesComeOnceThoughTheFollowingIsBrokenOff() async throws {
        try await RunnerStage.with { stage in
            let count = 10_000
            let script = "i=0; while [ $i -lt \(count) ]; do i=$((i+1)); echo line $i; done; echo done\n" + Self.sleeper
            try await stage.runner.start(try stage.shell("loud", script), attempt: 0)
            try await stage.untilRunning("loud")
            let run = try await stage.run("loud")
            let taken = TakenOutput()
            for _ in 0..<4 {
                let before = taken.lines.count
                try await following(stage, run, taken) {
                    try await eventually(within: .seconds(60)) {
                        taken.lines.count > before + 500 || taken.lines.last == "done"
                    }
                }
            }
            try await following(stage, run, taken) {
                try await eventually(within: .seconds(60), "the last line") { taken.lines.last == "done" }
            }
            #expect(taken.lines == (1...count).map { "line \($0)" } + ["done"] && taken.gaps == 0)
        }
    }

    @Test func f19TheLogsOfContainersThatWereStartedAnewFollowOneAnother() async throws {
        try await RunnerStage.with { stage in
            // Three runs, then it stays.
            let script =
                "n=$(/bin/busybox cat /tmp/n 2>/dev/null || echo 0); n=$((n+1)); echo $n >/tmp/n\n"
                + "for i in 1 2 3; do echo run $n line $i; done; [ $n -ge 3 ] || exit 1\n" + Self.sleeper
            try await stage.runner.start(try stage.shell("again", script), attempt: 0)
            try await stage.untilRunning("again")
            let run = try await stage.run("again")
            let taken = TakenOutput()
            let all = (1...3).flatMap { run in (1...3).map { "run \(run) line \($0)" } }
            try await following(stage, run, taken) {
                try await eventually(within: .seconds(120), "all lines") { taken.lines.count >= all.count }
            }
            #expect(taken.lines == all && taken.gaps == 0)
            // Nothing comes again, from the text of the place.
            try await stage.runner.follow(run, after: taken.position, waiting: false) { taken.take($0) }
            #expect(taken.lines == all)
        }
    }

    @Test func aBotsLastWordsAreReadWhileItIsRemoved() async throws {
        try await RunnerStage.with { stage in
            let script = "trap 'echo last words; exit 0' TERM; echo first\n" + Self.sleeper
            try await stage.runner.start(try stage.shell("words", script), attempt: 0)
            try await stage.untilRunning("words")
            let run = try await stage.run("words")
            let taken = TakenOutput()
            stage.runner.readFinally(with: FollowingReader(stage, taken))
            try await eventually(within: .seconds(30)) {
                try await stage.runner.lastLines(of: run, limit: 1).count == 1
            }
            try await stage.runner.remove(run)
            #expect(taken.lines == ["first", "last words"])
        }
    }

    @Test func aLineOfSeveralPartsIsOne() async throws {
        try await RunnerStage.with { stage in
            let program = """
                def main():
                    import time
                    print("x" * 50000)
                    print("short", flush=True)
                    while True: time.sleep(1)
                """
            try await stage.runner.start(try stage.python("long", program), attempt: 0)
            try await stage.untilRunning("long")
            let run = try await stage.run("long")
            let taken = TakenOutput()
            try await following(stage, run, taken) {
                try await eventually(within: .seconds(30)) { taken.lines.count == 2 }
            }
            #expect(taken.lines == [String(repeating: "x", count: 50_000), "short"])
        }
    }

    @Test func f53TheLinesOfAPodThatFailedAreReadBeforeItGoes() async throws {
        try await RunnerStage.with { stage in
            try await stage.runner.start(try stage.shell("evicted", "echo here\n" + Self.sleeper), attempt: 0)
            try await stage.untilRunning("evicted")
            try await eventually(within: .seconds(30)) {
                try await stage.runner.lastLines(of: try await stage.run("evicted"), limit: 1).count == 1
            }
            // What the kubelet does when a node runs short, told by hand.
            var pod = try #require(try await stage.pod("evicted"))
            pod.json[["status", "phase"]] = "Failed"
            pod.json[["status", "reason"]] = "Evicted"
            _ = try await stage.runner.view.pods.replace(pod, subresource: "status")
            let run = try await eventuallyValue(within: .seconds(30), "its end") {
                let run = try await stage.run("evicted")
                return run.exit == nil ? nil : run
            }
            #expect(run.exit?.platformError.contains("Evicted") == true)
            let taken = TakenOutput()
            stage.runner.readFinally(with: FollowingReader(stage, taken))
            try await stage.runner.start(try stage.shell("evicted", "echo here\n" + Self.sleeper), attempt: 1)
            #expect(taken.lines.first == "here")
            try await stage.untilRunning("evicted")
            #expect(try await stage.run("evicted").attempt == 1)
        }
    }
}

/// Reads a run to its end, as the collector of logs does.
private final class FollowingReader: FinalOutputReading {
    private let stage: RunnerStage
    private let taken: TakenOutput

    init(_ stage: RunnerStage, _ taken: TakenOutput) {
        self.stage = stage
        self.taken = taken
    }

    func readToEnd(of run: ObservedRun) async {
        // What it can't read the test finds missing.
        try? await stage.runner.follow(run, after: taken.position, waiting: true) { [taken] in taken.take($0) }
    }
}
