import Control
import Foundation
import Logging
import Model
import Runtime
import Synchronization
import TestSupport
import Util

@testable import K8sMode

/// Schedules on the real cluster: the reconciler that keeps CronJobs, the scheduler for the rest, and the books, over stores in
/// memory.
final class ScheduleFixture: Sendable {
    let cluster: TestCluster
    let namespace: String
    let client: K8sClient
    let store = MemoryScheduleStore()
    let runs = MemoryRunStore()
    let results = ResultsInMemory()
    let cronJobs: CronJobRunner
    let slots: SlotJobRunner
    let reconciler: Reconciler<ContinuousClock>
    let scheduler: Scheduler
    let history: PlatformHistory

    init(_ cluster: TestCluster, _ namespace: String) async throws {
        self.cluster = cluster
        self.namespace = namespace
        client = try cluster.client()
        let server = try await client.cronJobServer(
            try await client.capabilities(),
            namespace: namespace,
            controllerZone: .utc
        )
        // Every bot has the same code: it does what its parameters say.
        let program = #"""
            #!/bin/sh
            program=$(printf %s "$BOT_CONFIG" | sed 's/.*"program":"\([^"]*\)".*/\1/')
            eval "$program"

            """#
        let code = Data(program.utf8).base64EncodedString()
        let settings = K8sSettings(
            runtimeImage: "busybox:1.36.1",
            unpackCommand: ["/bin/sh", "-c", "echo \(code) | base64 -d >/bot/bot && chmod +x /bot/bot"],
            serviceAccount: "default",
            state: .ephemeral,
            stopGrace: .seconds(5)
        )
        cronJobs = CronJobRunner(
            client: client,
            namespace: namespace,
            server: server,
            links: NoLinks(),
            settings: settings,
            logger: silent
        )
        slots = SlotJobRunner(
            client: client,
            namespace: namespace,
            server: server,
            links: NoLinks(),
            settings: settings,
            logger: silent
        )
        var builder = LaunchSpecBuilder()
        builder.catalogue = try builder.catalogue.overriding(images: ["gcc13": "busybox:1.36.1"])
        let kept = PlatformSchedules(schedules: store, runs: runs, platform: cronJobs, builder: builder)
        reconciler = Reconciler(
            store: kept,
            runner: cronJobs,
            builder: builder,
            options: ReconcilerOptions(
                kind: .scheduled,
                interval: .seconds(2),
                desire: { kept.desire($0) },
                beforeActions: { (id, actions) async throws(RunnerError) in try await kept.handOver(id, actions) }
            ),
            logger: silent
        )
        let options = SchedulerOptions(interval: .seconds(2), largestResult: 4096, platform: kept)
        scheduler = Scheduler(
            schedules: store,
            runs: runs,
            runner: slots,
            results: results,
            builder: builder,
            options: options,
            logger: silent
        )
        history = PlatformHistory(platform: cronJobs, runs: runs, results: results, options: options, logger: silent)
    }

    static func schedule(
        _ id: BotID,
        _ expression: String,
        program: String,
        _ execution: JSONObject = [:]
    ) -> BotSchedule {
        let config: JSONObject = [
            "schedule": .string(expression), "execution": .object(execution), "program": .string(program),
        ]
        let custom = CustomBotVersion(
            version: "1",
            code: .object(key: "code.zip"),
            config: CustomBotConfig(name: "sample", runtime: "gcc13", type: "scheduled", entrypoints: ["bot": "bot"])
        )
        return BotSchedule(bot: Bot(id: id, config: config, custom: custom), schedule: expression)
    }

    /// Has everything work while a test looks on, in a namespace of its own.
    static func running(_ body: (ScheduleFixture) async throws -> Void) async throws {
        let cluster = try TestCluster()
        try await cluster.withNamespace { namespace in
            let fixture = try await ScheduleFixture(cluster, namespace)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await fixture.cronJobs.run() }
                group.addTask { await fixture.slots.run() }
                defer { group.cancelAll() }
                try await eventually(within: .seconds(30), "the caches") {
                    fixture.cronJobs.isSynced && fixture.slots.isSynced
                }
                group.addTask { await fixture.reconciler.run() }
                group.addTask { await fixture.scheduler.run() }
                group.addTask { await fixture.history.run() }
                group.addTask {
                    await fixture.slots.watch(.scheduled) { fixture.scheduler.wakeRuns($0) }
                }
                group.addTask {
                    await fixture.cronJobs.watch(.scheduled) { id in
                        fixture.reconciler.wake(id.map { .bot($0) } ?? .everything)
                    }
                }
                try await body(fixture)
            }
        }
    }

    func put(_ schedule: BotSchedule) {
        store.put(schedule)
        wake(schedule.id)
    }

    func change(_ id: BotID, _ change: (inout BotSchedule) -> Void) {
        store.change(id, change)
        wake(id)
    }

    private func wake(_ id: BotID) {
        reconciler.wake(.bot(id))
        scheduler.wake(.bot(id))
    }

    func cronJob(_ id: BotID) async throws -> CronJob? {
        try await cronJobs.standing(cronJobs.cluster.names(id).cronJob)
    }

    func jobs() async throws -> [Job] { try await cronJobs.cluster.jobs.list().items }

    /// The runs of a schedule that have ended, the oldest first.
    func ended(_ id: BotID) -> [RunRecord] {
        runs.all.filter { $0.id == id && $0.phase == .ended }.sorted { $0.slot < $1.slot }
    }
}

/// The stand-in for unpacking needs none.
struct NoLinks: CodeLinking {
    func link(for version: CustomBotVersion, of bot: BotID) async throws(RunnerError) -> CodeLink {
        CodeLink(json: #"{"url":"https://nowhere.test/"}"#, expiresAt: .now.advanced(by: .seconds(3600)))
    }
}

/// Results as they were stored.
final class ResultsInMemory: ResultStore, Sendable {
    private let state = Mutex<[BotID: [String]]>([:])

    func of(_ id: BotID) -> [String] { state.withLock { $0[id] ?? [] } }

    func store(_ result: [UInt8], of id: BotID) async throws(StoreError) {
        state.withLock { $0[id, default: []].append(String(decoding: result, as: UTF8.self)) }
    }
}
