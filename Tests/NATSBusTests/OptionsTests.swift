import Logging
import Testing
import Util

@testable import NATSBus

@Suite struct OptionsTests {
    private func failure(_ change: (inout NATSConnectionOptions) -> Void) -> NATSError? {
        var options = NATSConnectionOptions(url: "nats://localhost:4222")
        change(&options)
        return #expect(throws: NATSError.self) {
            try NATSConnection(options, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }
    }

    @Test(arguments: [
        "", ",", "nats://a,", "http://user:hunter22@a", "nats://user:hunter22@a b", "nats://user:hunter22@a\n",
        "ws://a",
        "nats://user:hunter22@a:port", "nats://user:hunter22@a,\u{0}",
        "nats://user:hunter22%00@a", "nats://user:hunter22%41@a,nats://b", "nats://user:hunter22@a:70000",
        "nats://user:hunter22@", "nats://user:hunter22@a/b",
    ])
    func unusableURLsAreRefusedWithoutTheirPassword(url: String) {
        let error = failure { $0.url = url }
        #expect(error?.code == .invalidOptions)
        #expect(error?.message.contains("hunter22") == false)
        #expect(error?.isRetryable == false)
    }

    @Test func severalServersAreShownWithoutPasswords() throws {
        let servers = try Servers("nats://u:hunter22@a:4222, tls://tokentoken@b ,c")
        #expect(servers.urls == ["nats://u:hunter22@a:4222", "tls://tokentoken@b", "c"])
        #expect(servers.usesTLS)
        #expect(!servers.shown.contains("hunter22"))
        #expect(!servers.shown.contains("tokentoken"))
        #expect(servers.shown.contains("a:4222"))
        #expect(!servers.secrets.redact("bad: hunter22, tokentoken").contains("en"))
    }

    @Test func encodedCredentialsAreDecodedAndHidden() throws {
        let servers = try Servers("nats://bob:p%40ss%2Fword@a:1/,nats://bob:p%40ss%2Fword@[::1]:2")
        #expect(servers.credentials == .user("bob", password: "p@ss/word"))
        #expect(servers.urls == ["nats://a:1", "nats://[::1]:2"])
        #expect(!servers.secrets.redact("p@ss/word p%40ss%2Fword").contains("ss"))
        #expect(try Servers("nats://t%6Fken@a").credentials == .token("token"))
        #expect(try Servers("nats://b:100%@a").credentials == .user("b", password: "100%"))
        #expect(try Servers("a:4222/").urls == ["a:4222"])
    }

    @Test func filesThatAreNotThereAreNamed() {
        #expect(failure { $0.caFile = "/nowhere/ca.pem" }?.message.contains("/nowhere/ca.pem") == true)
        #expect(
            failure { ($0.certificateFile, $0.keyFile) = ("/nowhere/c.pem", "/nowhere/k.pem") }?.message
                .contains("/nowhere/k.pem") == true
        )
        #expect(failure { $0.keyFile = "/nowhere/k.pem" }?.message.contains("together") == true)
        #expect(failure { $0.name = "a\u{0}b" }?.message.contains("NUL") == true)
    }

    @Test func durationsBecomeMillisecondsWithoutOverflow() {
        #expect(Duration.seconds(1.5).milliseconds == 1500)
        #expect(Duration.zero.milliseconds == 1)
        #expect(Duration.seconds(Int64.max).milliseconds > 1_000_000_000)
    }
}
