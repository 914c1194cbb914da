import ArgumentParser
import Testing

@testable import runtime_cli

@Suite struct FlagTests {
    /// Settings that come from the environment or a file only: secrets must not stand in a process list, and the rest is there
    /// for environments that have it.
    private static let withoutFlag: Set<SettingKey> = [
        .dockerTLSVerify, .dockerCertificates, .memoryLimitMegabytes, .cpuShares, .minioEndpoint, .minioAccessKey,
        .minioSecretKey, .minioAccessKeyFile, .minioSecretKeyFile, .minioTLS, .minioRegion, .codeBucket,
        .dockerConfig, .logsBucket, .resultsBucket,
    ]

    /// Settings of live bots only.
    private static let ofTheRunner: Set<SettingKey> = [
        .reconcileInterval, .restartInitial, .restartMaximum, .restartResetAfter,
    ]
    /// Settings of schedules only.
    private static let ofTheScheduler: Set<SettingKey> = [.checkInterval]

    @Test(arguments: SettingKey.all)
    func everyFlagOfASettingReachesIt(_ key: SettingKey) throws {
        let arguments = ["--\(key.name)", "some-text"]
        let given = [key.name: "some-text"]
        let isRunners = !Self.withoutFlag.contains(key) && !Self.ofTheScheduler.contains(key)
        let isSchedulers = !Self.withoutFlag.contains(key) && !Self.ofTheRunner.contains(key)
        if isRunners {
            #expect(try BotRunnerCommand.parse(arguments).given == given)
            // A pass that is only looked at serves nothing.
            if key != .listen { #expect(try PlanCommand.parse(arguments).options.given == given) }
        } else {
            #expect(throws: (any Error).self) { try BotRunnerCommand.parse(arguments) }
        }
        if isSchedulers {
            #expect(try BotSchedulerCommand.parse(arguments).given == given)
        } else {
            #expect(throws: (any Error).self) { try BotSchedulerCommand.parse(arguments) }
        }
    }

    @Test func everyFlagIsOfASettingOrOfTheCommandItself() {
        func names(_ command: any ParsableCommand.Type) -> Set<String> {
            Set(command.helpMessage(columns: 400).matches(of: /--([a-z-]+)/).map { String($0.1) })
        }
        let withFlag = Set(SettingKey.all).subtracting(Self.withoutFlag)
        let runner: Set = ["config", "stop-bots-on-exit", "once", "print-status", "help", "version"]
        #expect(
            names(BotRunnerCommand.self).subtracting(runner)
                == Set(withFlag.subtracting(Self.ofTheScheduler).map(\.name))
        )
        let scheduler: Set = ["config", "stop-runs-on-exit", "help", "version"]
        #expect(
            names(BotSchedulerCommand.self).subtracting(scheduler)
                == Set(withFlag.subtracting(Self.ofTheRunner).map(\.name))
        )
    }

    @Test(arguments: [["--limit=0"], ["--limit=100001"], ["--limit=many"], ["-o", "xml"], ["a", "b"]])
    func runsAreAskedForInBounds(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try RunsCommand.parse(arguments) }
    }

    @Test func schedulesAreListedUnlessSomethingElseIsAskedFor() throws {
        let list = try #require(
            try SchedulesCommand.parseAsRoot(["--store", "x", "-o", "json"]) as? SchedulesListCommand
        )
        #expect(list.options.given == ["store": "x"] && list.output == .json)
        let run = try #require(
            try SchedulesCommand.parseAsRoot(["run", "a", "--wait", "--mongo-uri", "y"]) as? SchedulesRunCommand
        )
        #expect(run.options.given == ["mongo-uri": "y"] && run.schedule == "a" && run.wait)
        #expect(try SchedulesCommand.parseAsRoot(["next", "@daily"]) is SchedulesNextCommand)
    }

    @Test func imagesMayBeGivenOneByOne() throws {
        let command = try BotRunnerCommand.parse(["--image", "gcc13=a", "--image", "ghc96=b"])
        #expect(command.given == ["image": "gcc13=a,ghc96=b"])
    }

    @Test func nothingGivenIsNothing() throws {
        let command = try BotRunnerCommand.parse([])
        #expect(command.given.isEmpty)
        #expect(!command.once && !command.stopBotsOnExit && !command.printStatus)
    }

    @Test(arguments: ["-1", "1001", "many"])
    func lastLinesOfAPlanAreBounded(_ text: String) {
        #expect(throws: (any Error).self) { try PlanCommand.parse(["--last-lines=\(text)"]) }
    }
}
