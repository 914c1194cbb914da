import Foundation
import Model
import Testing

@testable import DockerMode

@Suite struct RegistryLoginTests {
    /// A folder with a `config.json` and credential programs, whose names are made unique for the search path.
    private final class Folder {
        let path: String

        init(_ config: String) throws {
            path = "/tmp/the0-logins-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try config.write(toFile: path + "/config.json", atomically: true, encoding: .utf8)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var logins: RegistryLogins { RegistryLogins(folder: path) }
    }

    private func login(_ config: String, at image: String) async throws -> RegistryLogin? {
        let folder = try Folder(config)
        defer { withExtendedLifetime(folder) {} }
        return try await folder.logins.login(at: ImageReference(image).registry)
    }

    @Test(arguments: [
        ("python:3.11-slim", "https://index.docker.io/v1/"), ("me/bot", "https://index.docker.io/v1/"),
        ("docker.io/me/bot:1", "https://index.docker.io/v1/"), ("localhost/bot", "localhost"),
        ("registry.example/a/b@sha256:00", "registry.example"), ("h:5000/b:1", "h:5000"),
        ("h:5000", "https://index.docker.io/v1/"),
    ])
    func theRegistryStandsInTheName(_ image: String, _ registry: String) {
        #expect(ImageReference(image).registry == registry)
    }

    @Test(arguments: ["registry.example", "https://registry.example", "https://registry.example/v1/"])
    func anEntryIsFoundAlsoUnderItsOldNames(_ key: String) async throws {
        let auth = Data("me:pass:word\0\0".utf8).base64EncodedString()
        let config = #"{"auths": {"\#(key)": {"auth": "\#(auth)"}}}"#
        #expect(
            try await login(config, at: "registry.example/bot") == RegistryLogin(username: "me", password: "pass:word")
        )
        #expect(try await login(config, at: "registry.example.org/bot") == nil)
        #expect(try await login(config, at: "bot") == nil)
    }

    @Test(arguments: ["https://index.docker.io/v1/", "docker.io", "index.docker.io"])
    func dockersOwnRegistryHasSeveralNames(_ key: String) async throws {
        let config = #"{"auths": {"\#(key)": {"identitytoken": "t"}}}"#
        #expect(try await login(config, at: "me/bot") == RegistryLogin(identityToken: "t"))
    }

    @Test func withoutFileOrEntryThereIsNone() async throws {
        #expect(try await RegistryLogins(folder: nil).login(at: "h:1") == nil)
        #expect(try await RegistryLogins(folder: "/nowhere/at/all").login(at: "h:1") == nil)
        #expect(try await login("{}", at: "h:1/b") == nil)
        #expect(try await login(#"{"auths": {"h:1": {}}}"#, at: "h:1/b") == nil)
    }

    @Test(arguments: [
        "", "[]", #"{"auths": {"h:1": {"auth": "hush"}}}"#, #"{"auths": {"h:1": {"auth": "aHVzaA=="}}}"#,
        #"{"credsStore": "../../bin/hush"}"#, #"{"credsStore": "is not there"}"#, #"{"credsStore": "isnotthere"}"#,
    ])
    func whatCannotBeReadIsAnErrorWithoutSecrets(_ config: String) async throws {
        let error = await #expect(throws: DockerError.self) { try await login(config, at: "h:1/b") }
        #expect(error?.code == .setting)
        #expect(error?.message.contains("hush") == false)
    }

    @Test func whatIsSentIsReadBackAsItIs() throws {
        let login = RegistryLogin(username: "me", password: "ÿ?>~\"\\")
        let header = login.header(server: "h:1")
        #expect(header.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") })
        let plain = header.replacing("-", with: "+").replacing("_", with: "/")
        let object = try JSONValue.parse(try #require(Data(base64Encoded: plain))).object
        #expect(object == ["username": "me", "password": .string(login.password), "serveraddress": "h:1"])
    }

    // MARK: Credential programs

    private func answer(_ script: String, within patience: Duration = .seconds(20)) throws -> ProgramAnswer {
        try runProgram("sh", ["-c", script], input: Array("h:1".utf8), within: patience)
    }

    @Test func aProgramGetsItsInputAndIsHeardToTheEnd() throws {
        let answer = try answer("cat; head -c 300000 /dev/zero; exit 3")
        #expect(answer.exitCode == 3)
        #expect(answer.output == Array("h:1".utf8) + [UInt8](repeating: 0, count: 300_000))
        #expect(try self.answer("kill -TERM $$").exitCode == 128 + SIGTERM)
    }

    @Test func aProgramThatDoesNotEndIsKilledWithWhatItStarted() throws {
        let started = ContinuousClock.now
        let error = #expect(throws: DockerError.self) {
            try answer("sleep 600 & sleep 600", within: .milliseconds(200))
        }
        #expect(error?.message == "sh: gives no whole answer within 0.2 seconds")
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test func aProgramThatPrintsWithoutEndIsGivenUp() {
        #expect(throws: DockerError.self) { try answer("cat /dev/zero") }
    }

    @Test func aProgramsAnswerIsALogin() {
        func login(_ text: String) -> RegistryLogin? { RegistryLogin(printed: Array(text.utf8)) }
        #expect(login(#"{"Username": "me", "Secret": "s"}"#) == RegistryLogin(username: "me", password: "s"))
        #expect(login(#"{"Username": "<token>", "Secret": "s"}"#) == RegistryLogin(identityToken: "s"))
        #expect(login("not JSON") == nil)
        #expect(login(#"{"Username": "me"}"#) == nil)
    }
}
