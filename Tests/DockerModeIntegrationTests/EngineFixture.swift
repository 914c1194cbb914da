import DockerMode
import Entrypoints
import HTTP
import Logging
import Model
import Runtime
import TestSupport
import Testing
import Util

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A real engine, and an instance of its own on it that is cleared away afterwards.
///
/// The engine is the one that `DOCKER_HOST` names or the default socket's. The images `python:3.11-slim` and `busybox:1.36.1`
/// have to be there; stand-ins of those names (`scripts/images`) will do: our runtime is tested here, not the images.
struct EngineFixture: Sendable {
    let connection: DockerConnection
    let instance: String
    let code: PackedCode
    let client: HTTPClient
    let api: RawEngine

    static let python = "python:3.11-slim"

    /// The engine has addresses for some thirty networks, and two cores start few containers at once.
    private static let places = AsyncSemaphore(permits: 4)

    /// Runs a test with an instance of its own, removes what it left, and checks that nothing else remains.
    static func with(
        connection: DockerConnection? = nil,
        observing: DockerConnection? = nil,
        function: String = #function,
        _ body: (EngineFixture) async throws -> Void
    ) async throws {
        try await places.withPermit {
            let fixture = try EngineFixture(connection: connection, observing: observing, function: function)
            let failure: (any Error)?
            do {
                try await body(fixture)
                failure = nil
            } catch {
                failure = error
            }
            try await fixture.clear()
            if let failure { throw failure }
        }
    }

    private init(connection: DockerConnection?, observing: DockerConnection?, function: String) throws {
        self.connection = try connection ?? DockerConnection(environment: EngineFixture.environment)
        let name = function.prefix { $0.isLetter || $0.isNumber }
        instance = "t\(getpid())-\(name)-\(UInt32.random(in: 0...UInt32.max))"
        code = try PackedCode()
        client = HTTPClient(maxConnections: 64)
        api = RawEngine(connection: observing ?? self.connection, client: client)
    }

    private static var environment: [String: String] {
        var result: [String: String] = [:]
        for name in ["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }

    func runner(
        _ settings: DockerSettings = DockerSettings(stopGrace: .seconds(2)),
        instance: String? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) -> DockerRunner {
        DockerRunner(
            connection: connection,
            instance: instance ?? self.instance,
            code: code,
            settings: settings,
            client: client,
            logger: logger
        )
    }

    /// Removes containers, volumes and the network of the instance, as no runner would.
    func clear() async throws {
        for label in ["runtime.instance", "test.instance"] {
            for container in try await api.list("containers/json", "\(label)=\(instance)", extra: "&all=1") {
                _ = try await api.call(.delete, "/containers/\(container["Id"]?.string ?? "")?v=1&force=1")
            }
        }
        let volumes = try await api.object(.get, "/volumes?filters=" + RawEngine.filter("runtime.instance=\(instance)"))
        if case .array(let list) = volumes["Volumes"] {
            for volume in list { _ = try await api.call(.delete, "/volumes/\(volume.object?["Name"]?.string ?? "")") }
        }
        for network in try await api.list("networks", "runtime.instance=\(instance)") {
            _ = try await api.call(.delete, "/networks/\(network["Id"]?.string ?? "")")
        }
        code.remove()
    }
}

/// A plain view of the engine, beside the code that is tested.
struct RawEngine: Sendable {
    let connection: DockerConnection
    let client: HTTPClient

    func call(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> (
        status: Int, body: [UInt8]
    ) {
        let response = try await client.execute(
            HTTPRequest(
                method: method,
                url: "http://docker" + path,
                unixSocket: connection.unixSocket,
                headers: [HTTPHeader(name: "Content-Type", value: "application/json")],
                body: body.map { .bytes(Array($0.text.utf8)) } ?? .none
            )
        )
        return (response.status, try await response.body.collect(upTo: 64 << 20))
    }

    func object(_ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil) async throws -> JSONObject {
        let answer = try await call(method, path, body)
        try #require(
            (200..<300).contains(answer.status),
            "\(method) \(path): \(String(decoding: answer.body, as: UTF8.self))"
        )
        return try #require(JSONValue.parse(answer.body).object)
    }

    func list(_ what: String, _ label: String, extra: String = "") async throws -> [JSONObject] {
        let answer = try await call(.get, "/\(what)?filters=" + RawEngine.filter(label) + extra)
        guard case .array(let list) = try JSONValue.parse(answer.body) else { return [] }
        return list.compactMap(\.object)
    }

    static func filter(_ label: String) -> String {
        let filters: JSONValue = ["label": [.string(label)]]
        return filters.text.utf8.map { byte in "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
