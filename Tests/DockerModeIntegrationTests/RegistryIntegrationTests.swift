import Foundation
import HTTP
import Logging
import Runtime
import Synchronization
import TestSupport
import Testing

@testable import DockerMode

/// Pulls by a real engine from a registry that asks who we are.
@Suite struct RegistryIntegrationTests {
    private static let (user, password) = ("someone", "hush:hush?~")

    private func with(_ body: (ImageRegistry, TemporaryFolder, ImageStore) async throws -> Void) async throws {
        let registry = try await ImageRegistry.start(user: Self.user, password: Self.password)
        let folder = try TemporaryFolder()
        let engine = Engine(
            connection: try DockerConnection(environment: ProcessInfo.processInfo.environment),
            client: HTTPClient(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let store = ImageStore(
            engine: engine,
            policy: .missing,
            pulls: SingleFlight(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            logins: RegistryLogins(folder: folder.path)
        )
        let result: Result<Void, any Error>
        do { result = .success(try await body(registry, folder, store)) } catch { result = .failure(error) }
        await registry.stop()
        _ = try? await DockerEngine.shared().docker("image", "rm", registry.image)
        try result.get()
    }

    private func auths(_ registry: ImageRegistry, password: String = password) -> String {
        let auth = Data("\(Self.user):\(password)".utf8).base64EncodedString()
        return #"{"auths": {"\#(registry.host)": {"auth": "\#(auth)"}}}"#
    }

    @Test func anImageIsPulledWithTheCredentialsOfDockersOwnFile() async throws {
        try await with { registry, folder, store in
            try folder.write("config.json", auths(registry))
            #expect(try await store.id(of: registry.image).hasPrefix("sha256:"))
        }
    }

    @Test func anImageIsPulledWithTheCredentialsOfAProgram() async throws {
        try await with { registry, folder, store in
            let program = "test-\(UInt32.random(in: 0...UInt32.max))"
            let answer = #"{"ServerURL": "x", "Username": "\#(Self.user)", "Secret": "\#(Self.password)"}"#
            let path = "/usr/local/bin/docker-credential-\(program)"
            try #"""
            #!/bin/sh
            test "$1" = get && test "$(cat)" = '\#(registry.host)' && echo '\#(answer)'
            """#.write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            try folder.write("config.json", #"{"credHelpers": {"\#(registry.host)": "\#(program)"}}"#)
            #expect(try await store.id(of: registry.image).hasPrefix("sha256:"))
        }
    }

    @Test func wrongCredentialsAndNoneAreToldApart() async throws {
        try await with { registry, folder, store in
            let none = await #expect(throws: RunnerError.self) { try await store.id(of: registry.image) }
            #expect(none?.code == .image)
            #expect(none?.message.contains("credentials that this machine has") == false)
            try folder.write("config.json", auths(registry, password: "wrong-hush"))
            let wrong = await #expect(throws: RunnerError.self) { try await store.id(of: registry.image) }
            #expect(wrong?.code == .image)
            #expect(wrong?.message.contains("with the credentials that this machine has for \(registry.host)") == true)
            #expect(wrong.map { "\($0) \(String(describing: $0.cause))" }?.contains("wrong-hush") == false)
            try folder.write("config.json", "{not JSON, hush")
            let broken = await #expect(throws: RunnerError.self) { try await store.id(of: registry.image) }
            #expect(broken?.message.contains("\(folder.path)/config.json") == true, "\(broken?.message ?? "")")
            #expect(broken?.message.contains("no valid JSON at byte") == true, "\(broken?.message ?? "")")
            #expect(broken?.message.contains("hush") == false)
        }
    }
}
