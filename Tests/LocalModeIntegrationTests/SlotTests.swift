import CLinux
import Glibc
import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import LocalMode

/// Scheduled runs, beside what every runner of slots promises.
@Suite struct LocalSlotIntegrationTests {
    private static let name = DataFolder.name(of: .scheduled, id: "s", slot: 60)

    private func spec(_ local: LocalFixture, _ id: BotID = "s", _ slot: Slot = 60, _ program: String = sleeper) throws
        -> LaunchSpec
    {
        try local.code.spec(id, kind: .scheduled, slot: slot, files: ["main.py": program])
    }

    private func conflicts(_ runner: LocalRunner, _ spec: LaunchSpec) async {
        let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
        #expect(error?.code == .conflict)
    }

    /// A run that got its name, and then nothing more happened.
    private func makeUnstarted(_ local: LocalFixture, _ spec: LaunchSpec) throws -> RunFolder {
        let folder = local.data.run(Self.name)
        try SystemFile.makeFolder(folder.path)
        let record = RunRecord(
            reference: "\(folder.name).x",
            id: "s",
            kind: .scheduled,
            slot: 60,
            hash: spec.hash,
            attempt: 0,
            createdAt: .now,
            boot: try ProcessIdentity.bootID(),
            groups: []
        )
        try JSONFile.replace(folder.record, record.json)
        return folder
    }

    @Test func f28ASlotWhoseSupervisorWasKilledIsNotRunAgain() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try spec(local), attempt: 0)
            let status = try #require(try RunStatus.read(local.data.run(Self.name)))
            status.supervisor.send(SIGKILL)
            try await eventually("the end of the supervisor") { !status.supervisor.isRunning }
            await conflicts(runner, try spec(local))
            let run = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            #expect(run.exit?.code == 137)
            // What it had started is ended with it.
            try await runner.stop(run)
            #expect(status.bot?.isRunning == false)
            #expect(try await runner.result(of: run, limit: 10) == nil)
            try await runner.remove(run)
            try await runner.start(try spec(local), attempt: 1)
            #expect(try await runner.runs(of: .scheduled, id: "s").first?.attempt == 1)
        }
    }

    @Test func f28ASlotThatMayHaveRunIsNotRunAgainAlthoughNobodySawItRun() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let spec = try spec(local)
            let folder = try makeUnstarted(local, spec)
            // Its supervisor was killed between the bot's start and the note of it.
            try SystemFile.create(folder.begun, [], mode: 0o600)
            await conflicts(runner, spec)
            let run = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            #expect(run.exit?.code == 137)
            #expect(run.slot == 60)
            try await runner.remove(run)
            try await runner.start(spec, attempt: 0)
        }
    }

    @Test func f28ASlotThatNeverBeganIsRun() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let spec = try spec(local)
            _ = try makeUnstarted(local, spec)
            let left = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            #expect(left.phase == .created)
            let stop = await #expect(throws: RunnerError.self) { try await runner.stop(left) }
            #expect(stop?.code == .notStopped)
            let result = await #expect(throws: RunnerError.self) { try await runner.result(of: left, limit: 10) }
            #expect(result?.code == .conflict)
            try await runner.start(spec, attempt: 0)
            let run = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            #expect(run.isRunning && run.reference != left.reference)
        }
    }

    @Test func f28ASupervisorThatIsOnItsWayKeepsItsSlotAndIsRefusedOnceItWasGivenUp() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let spec = try spec(local)
            let folder = try makeUnstarted(local, spec)
            // As a supervisor does before anything else.
            let lock = open(folder.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            let late = open(folder.lock, O_RDWR | O_CLOEXEC)
            #expect(clinux_lock(lock) == 0)
            await conflicts(runner, spec)
            #expect(try SupervisorLock.take(folder) == nil)
            close(lock)
            try await runner.start(spec, attempt: 0)
            // One that had opened it before finds that it is the lock of nothing any more.
            #expect(clinux_lock(late) == 0)
            #expect(!SystemFile.isNamed(late, folder.lock))
            close(late)
        }
    }

    @Test func f28AStartThatFailsLeavesNothingAndItsSlotFree() async throws {
        try await LocalFixture.with { local in
            let spec = try spec(local)
            let broken = try await LocalRunner.open(
                directory: local.directory,
                instance: "test",
                code: local.code,
                supervisor: ["/bin/false"],
                path: "/usr/bin:/bin",
                executor: local.executor,
                logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            let error = await #expect(throws: RunnerError.self) { try await broken.start(spec, attempt: 0) }
            #expect(error?.code == .failedToStart)
            let runner = try await local.runner()
            #expect(try await runner.runs(of: .scheduled).isEmpty)
            try await runner.start(spec, attempt: 0)
        }
    }

    @Test func onlyStateOfTheKindsThatAreKeptIsRemoved() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner(LocalSettings(stopGrace: .zero, keptKinds: [.scheduled]))
            try await runner.start(try local.spec("live", sleeper), attempt: 0)
            for (id, slot) in [("kept", 60), ("gone", 60), ("going", 60), ("going", 120)] as [(BotID, Slot)] {
                try await runner.start(try spec(local, id, slot), attempt: 0)
            }
            for run in try await runner.runs(of: .live) { try await runner.remove(run) }
            for run in try await runner.runs(of: .scheduled) where run.id != "going" || run.slot == 60 {
                try await runner.remove(run)
            }
            func owners() throws -> [String] {
                try (SystemFile.names(in: local.data.states) ?? []).compactMap { name in
                    try StateFolder(path: "\(local.data.states)/\(name)").readOwner()?.id.text
                }.sorted()
            }
            try await runner.removeLeftovers(known: ["kept"])
            #expect(try owners() == ["going", "kept", "live"])
            try await local.runner().removeLeftovers(known: [])
            #expect(try owners() == ["going", "kept"])
            for run in try await runner.runs(of: .scheduled) { try await runner.remove(run) }
            try await runner.removeLeftovers(known: [])
            #expect(try owners() == [])
            #expect(try SystemFile.names(in: local.data.locks) == [])
        }
    }

    @Test func theOutputOfASlotIsFollowedWhileItRunsAndAfterItsEnd() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = "for i in range(2000): print(i)\n"
            try await runner.start(try spec(local, "s", 60, program), attempt: 0)
            let run = try #require(try await runner.runs(of: .scheduled, id: "s").first)
            for waiting in [true, false] {
                let batches = Mutex<[OutputBatch]>([])
                try await runner.follow(run, after: nil, waiting: waiting) { batch in
                    batches.withLock { $0.append(batch) }
                }
                let lines = batches.withLock { $0 }.flatMap(\.lines).map { String(decoding: $0.bytes, as: UTF8.self) }
                #expect(lines == (0..<2000).map { "\($0)" })
            }
            try await runner.remove(run)
            let error = await #expect(throws: RunnerError.self) {
                try await runner.follow(run, after: nil, waiting: false) { _ in }
            }
            #expect(error?.code == .gone)
        }
    }

    @Test func f29AnotherFolderAtTheSamePathIsAnotherPlatform() async throws {
        try await LocalFixture.with { local in
            let runners = [try await local.runner(), try await local.runner()]
            let platforms = await withTaskGroup(of: String?.self) { group in
                for runner in runners + runners { group.addTask { try? await runner.platform() } }
                return await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(platforms.count == 1)
            let platform = try #require(platforms.first ?? nil)
            #expect(platform.wholeMatch(of: /local\/([0-9a-f]{32}|-)\/[0-9a-z]{2,26}\/test/) != nil)
            #expect(
                try SystemFile.names(in: local.data.path)?.sorted() == ["locks", "mark", "runs", "staging", "state"]
            )
            unlink(local.data.mark)
            #expect(try await runners[0].platform() != platform)
            try SystemFile.replace(local.data.mark, with: [])
            let error = await #expect(throws: RunnerError.self) { try await runners[0].platform() }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func aRecordOfASlotThatIsNoneIsAnErrorAndNotARunOfNoSlot() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let folder = try makeUnstarted(local, try spec(local))
            let record = try #require(try SystemFile.read(folder.record))
            let text = String(decoding: record, as: UTF8.self)
            try SystemFile.replace(folder.record, with: Array(text.replacing(#""60""#, with: #""060""#).utf8))
            let error = await #expect(throws: RunnerError.self) { try await runner.runs(of: .scheduled) }
            #expect(error?.code == .unavailable)
            try SystemFile.replace(folder.record, with: record)
        }
    }
}
