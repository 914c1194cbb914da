import Control
import Logging
import Model
import Runtime
import Synchronization
import Util

@testable import K8sMode

/// Schedules, specifications and runners of tests.
enum Samples {
    static func schedule(_ id: BotID, _ expression: String, _ execution: JSONObject = [:]) -> BotSchedule {
        let config: JSONObject = [
            "schedule": .string(expression), "execution": .object(execution), "api_key": "hush-hush",
        ]
        let custom = CustomBotVersion(
            version: "1",
            code: .object(key: "code.zip"),
            config: CustomBotConfig(
                name: "sample",
                runtime: "python3.11",
                type: "scheduled",
                entrypoints: ["bot": "main.py"]
            )
        )
        return BotSchedule(bot: Bot(id: id, config: config, custom: custom), schedule: expression)
    }

    /// What a reconciler has a schedule's CronJob made from.
    static func spec(_ schedule: BotSchedule, on platform: any SchedulePlatform) throws -> LaunchSpec {
        let bot = schedule.bot
        let executable = Executable(id: bot.id, kind: .scheduled, config: bot.config, custom: bot.custom)
        return try LaunchSpecBuilder().spec(for: executable).under(try platform.terms(of: try ScheduleRule(schedule)))
    }

    static func spec(_ schedule: BotSchedule, slot: Slot) throws -> LaunchSpec {
        try LaunchSpecBuilder().spec(for: Executable(schedule, slot: slot))
    }

    static func cluster(_ client: K8sClient, server: CronJobServer = CronJobTranslationTests.modern) -> ScheduleCluster
    {
        ScheduleCluster(
            client: client,
            namespace: "the0",
            ownership: Ownership(instance: "default"),
            server: server,
            links: FixedLinks(),
            settings: K8sSettings(runtimeImage: "the0/runtime:1", state: .ephemeral, stopGrace: .zero),
            logger: quiet,
            poll: .milliseconds(2)
        )
    }
}

/// Links that lead nowhere.
final class FixedLinks: CodeLinking, Sendable {
    let fails = Mutex(false)

    func link(for version: CustomBotVersion, of bot: BotID) async throws(RunnerError) -> CodeLink {
        if fails.withLock({ $0 }) { throw RunnerError(.codeUnavailable, "no store") }
        return CodeLink(json: #"{"url":"https://store/secret-link"}"#, expiresAt: .now.advanced(by: .seconds(3600)))
    }
}

/// Runs a test against a cluster in memory.
func withCluster(_ body: (FakeCluster, K8sClient) async throws -> Void) async throws {
    let cluster = FakeCluster()
    defer { cluster.closeWatches() }
    try await withFake({ request, _ in cluster.answer(request) }) { _, client in try await body(cluster, client) }
}
