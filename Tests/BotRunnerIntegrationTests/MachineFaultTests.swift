import Foundation
import Model
import TestSupport
import Testing

/// The machine failing under the runner: its descriptors, its disk, its clock.
extension PlatformIntegration {
    /// More bots than there are descriptors to follow them with: nobody can take the last one, without which no program of
    /// Swift's goes on.
    @Test(.timeLimit(.minutes(8)))
    func aRunnerWithFewDescriptorsRunsAndReadsAllBots() async throws {
        let plan = SoakPlan(faults: 2, seconds: 2)
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let runner = try stage.runner(["--reconcile-interval", "2s"], under: ["prlimit", "--nofile=224:224"])
            try await runner.waitUntilReady()
            let changes = BotChanges("descriptors", seed: plan.seed, platform: platform)
            try await changes.begin()
            let code = try await platform.upload(.file("main.py", Program.counter().replacing("0.01", with: "0.1")))
            let others = (0..<14).map { BotEntry("many-\($0)", code: code) }
            for bot in others { try await platform.put(bot) }
            for _ in 0..<plan.faults {
                try await changes.make(4)
                try await Task.sleep(for: .seconds(plan.seconds))
                #expect(runner.resources.descriptors < 200)
            }
            let desired = await changes.desired + others
            try await KillTests.expect(desired, on: stage, seed: plan.seed)
            KillTests.expectOneAtATime(stage, plan.seed)
            #expect(runner.entries.contains { $0.message == "too few files may be open for reliable work" })
            #expect(await runner.terminate() == .exited(0))
            try await KillTests.expectEveryLine(of: others.map(\.id), stage, platform, plan.seed)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aRunnerWithoutDiskSpaceEndsWithExactlyWhatIsDesired() async throws {
        let plan = SoakPlan(faults: 2, seconds: 2)
        let disk = try TemporaryFolder()
        try await requireCommand(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.path])
        do {
            try await Stage.withPlatform { stage, platform in
                try await platform.makeStream()
                let runner = try stage.runner("--reconcile-interval", "2s", environment: ["TEMP_DIR": disk.path])
                try await runner.waitUntilReady()
                let changes = BotChanges("disk", seed: plan.seed, platform: platform)
                try await changes.begin()
                for _ in 0..<plan.faults {
                    let fills = try await runCommand(["dd", "if=/dev/zero", "of=\(disk.file("fills"))", "bs=4096"])
                    #expect(fills.errorText.contains("No space left on device"))
                    try await changes.make(4)
                    try await Task.sleep(for: .seconds(plan.seconds))
                    try FileManager.default.removeItem(atPath: disk.file("fills"))
                }
                try await KillTests.expect(await changes.desired, on: stage, seed: plan.seed)
                KillTests.expectOneAtATime(stage, plan.seed)
                #expect(await runner.terminate() == .exited(0))
            }
        } catch {
            _ = try await runCommand(["umount", "-l", disk.path])
            throw error
        }
        try await requireCommand(["umount", "-l", disk.path])
    }

    /// Under libfaketime, which steps the wall clock of one program; what its timers run by goes on as it did.
    @Test(.timeLimit(.minutes(5)))
    func aRunnerWhoseClockIsSteppedEndsWithExactlyWhatIsDesired() async throws {
        let plan = SoakPlan(faults: 3, seconds: 2)
        try await Stage.withPlatform { stage, platform in
            try await platform.makeStream()
            let offset = stage.folder.file("clock")
            func step(_ seconds: Int) throws {
                try stage.folder.write("clock", "\(seconds < 0 ? "" : "+")\(seconds)\n")
            }
            try step(0)
            let library = try #require(
                ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketimeMT.so.1" }
                    .first { FileManager.default.fileExists(atPath: $0) },
                "libfaketime is not installed: scripts/setup --tests"
            )
            let runner = try stage.runner(
                "--reconcile-interval",
                "2s",
                environment: [
                    "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": offset, "FAKETIME_NO_CACHE": "1",
                    "DONT_FAKE_MONOTONIC": "1",
                ]
            )
            try await runner.waitUntilReady()
            let changes = BotChanges("clock", seed: plan.seed, platform: platform)
            try await changes.begin()
            // Within what signatures of an object store allow.
            for seconds in [600, -600, 0].prefix(plan.faults) {
                try step(seconds)
                try await changes.make(4)
                try await Task.sleep(for: .seconds(plan.seconds))
            }
            try await KillTests.expect(await changes.desired, on: stage, seed: plan.seed)
            KillTests.expectOneAtATime(stage, plan.seed)
            let stepped = runner.entries.count { $0.message == "bot running" }
            #expect(stepped > 0)
            #expect(await runner.terminate() == .exited(0))
        }
    }
}
