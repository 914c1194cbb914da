import Foundation
import Logging
import Metrics
import Monitoring
import ServiceLifecycle
import Testing
import Util

@Suite(.timeLimit(.minutes(1))) struct StatusServerTests {
    let health = HealthState(dependencies: ["mongodb"], conditions: ["first full pass"], secrets: Secrets())
    let registry = PrometheusRegistry()

    /// Runs a server while the body asks it, and shuts it down gracefully.
    func withServer<Value: Sendable>(
        _ address: String = "127.0.0.1:0",
        _ body: @Sendable (Int) async throws -> Value
    ) async throws -> Value {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let server = StatusServer(
            address: try ListenAddress(address),
            health: health,
            registry: registry,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            onListening: { continuation.yield($0) }
        )
        let group = ServiceGroup(services: [server], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            var value: Value?
            for await port in ports {
                do {
                    value = try await body(port)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
            return try #require(value)
        }
    }

    @Test func healthIsToldWhileTheProcessRuns() async throws {
        let answer = try await withServer { try await RawHTTP(port: $0).request("GET", "/healthz") }
        #expect(answer.status == "HTTP/1.1 200 OK")
        #expect(answer.body == "ok\n")
    }

    @Test func f55ReadyOnlyWhenEverythingAnswersAndTheFirstPassIsDone() async throws {
        let health = health
        try await withServer { port in
            let http = try RawHTTP(port: port)
            let unknown = try await http.request("GET", "/readyz")
            #expect(unknown.status == "HTTP/1.1 503 Service Unavailable")
            #expect(unknown.head.contains("content-type: application/json"))
            #expect(unknown.body.contains(#""mongodb":{"ok":false,"reason":"not checked yet"}"#))
            health.ok("mongodb")
            #expect(try await http.request("GET", "/readyz").status.contains("503"))
            health.met("first full pass")
            let ready = try await http.request("GET", "/readyz")
            #expect(ready.status == "HTTP/1.1 200 OK")
            #expect(
                ready.body
                    == #"{"ready":true,"dependencies":{"mongodb":{"ok":true}},"conditions":{"first full pass":true}}"#
                    + "\n"
            )
            health.failing("mongodb", reason: "no answer from mongodb://u:hidden@db")
            let failing = try await http.request("GET", "/readyz")
            #expect(failing.status.contains("503"))
            #expect(failing.body.contains("no answer from mongodb://u:***@db"))
        }
    }

    @Test func metricsAreShownWithThoseOfTheProcess() async throws {
        registry.makeCounter(label: "starts", dimensions: [("mode", "docker")]).increment(by: 3)
        let answer = try await withServer { try await RawHTTP(port: $0).request("GET", "/metrics") }
        #expect(answer.status == "HTTP/1.1 200 OK")
        #expect(answer.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
        #expect(answer.body.contains("\nstarts_total{mode=\"docker\"} 3\n"))
        for name in [
            "process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total",
            "process_start_time_seconds",
        ] {
            #expect(answer.body.contains("# TYPE \(name) "))
        }
    }

    @Test func everythingElseIsNotFound() async throws {
        try await withServer { port in
            let http = try RawHTTP(port: port)
            for path in ["/", "/healthz/x", "/../etc/passwd", "/metrics%00", "/HEALTHZ", "//healthz/../x"] {
                #expect(try await http.request("GET", path).status == "HTTP/1.1 404 Not Found", "\(path)")
            }
            #expect(try await http.request("POST", "/healthz").status == "HTTP/1.1 404 Not Found")
            let head = try await http.request("HEAD", "/healthz")
            #expect(head.status == "HTTP/1.1 200 OK" && head.body.isEmpty)
        }
    }

    @Test func hostileRequestsAreCutOffAndTheServerGoesOn() async throws {
        try await withServer { port in
            let http = try RawHTTP(port: port)
            let long = String(repeating: "a", count: 100_000)
            let many = (0..<200).map { "X-\($0): 1\r\n" }.joined()
            for request in [
                "garbage\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: h\r\nX: \(long)\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: h\r\n\(many)\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
            ] {
                let answer = try await http.exchange(request)
                #expect(!answer.hasPrefix("HTTP/1.1 200"), "\(request.prefix(40))")
            }
            #expect(try await http.request("GET", "/healthz").status == "HTTP/1.1 200 OK")
        }
    }

    @Test(arguments: [":0", "localhost:0"])
    func listensOnEveryFormOfAddress(address: String) async throws {
        let answer = try await withServer(address) { try await RawHTTP(port: $0).request("GET", "/healthz") }
        #expect(answer.status == "HTTP/1.1 200 OK")
    }

    @Test func aTakenPortIsAnErrorThatNamesIt() async throws {
        try await withServer { port in
            let error = await #expect(throws: MonitoringError.self) {
                try await withServer("127.0.0.1:\(port)") { _ in Issue.record("it listens") }
            }
            #expect(error?.code == .cannotListen)
            #expect(error?.message == "cannot listen on 127.0.0.1:\(port): port \(port) is already in use")
        }
    }

    @Test func aTakenPortIsAlsoNamedWhereNoHostIsGiven() async throws {
        try await withServer(":0") { port in
            let error = await #expect(throws: MonitoringError.self) {
                try await withServer(":\(port)") { _ in Issue.record("it listens") }
            }
            #expect(error?.message == "cannot listen on :\(port): port \(port) is already in use")
        }
    }

    @Test func anAddressOfAnotherMachineIsAnError() async throws {
        let error = await #expect(throws: MonitoringError.self) {
            try await withServer("192.0.2.1:0") { _ in Issue.record("it listens") }
        }
        #expect(error?.message == "cannot listen on 192.0.2.1:0: this machine doesn't have the address")
    }
}
