import ArgumentParser
import Testing

@testable import runtime_cli

@Suite struct FlagTests {
    /// Settings that come from the environment or a file only: secrets must not stand in a process list, and the rest is there
    /// for environments that have it.
    private static let withoutFlag: Set<SettingKey> = [
        .dockerTLSVerify, .dockerCertificates, .memoryLimitMegabytes, .cpuShares, .minioEndpoint, .minioAccessKey,
        .minioSecretKey, .minioAccessKeyFile, .minioSecretKeyFile, .minioTLS, .minioRegion, .codeBucket,
        .dockerConfig, .logsBucket,
    ]

    @Test(arguments: SettingKey.all)
    func everyFlagOfASettingReachesIt(_ key: SettingKey) throws {
        guard !Self.withoutFlag.contains(key) else {
            #expect(throws: (any Error).self) { try BotRunnerCommand.parse(["--\(key.name)", "some-text"]) }
            return
        }
        #expect(try BotRunnerCommand.parse(["--\(key.name)", "some-text"]).given == [key.name: "some-text"])
        // A pass that is only looked at serves nothing.
        guard key != .listen else { return }
        #expect(try PlanCommand.parse(["--\(key.name)", "some-text"]).options.given == [key.name: "some-text"])
    }

    @Test func everyFlagIsOfASettingOrOfTheCommandItself() {
        let own: Set = ["config", "stop-bots-on-exit", "once", "print-status", "help", "version"]
        let names = Set(BotRunnerCommand.helpMessage(columns: 400).matches(of: /--([a-z-]+)/).map { String($0.1) })
        #expect(names.subtracting(own) == Set(SettingKey.all.filter { !Self.withoutFlag.contains($0) }.map(\.name)))
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
