import DockerMode
import HTTP
import Model
import Runtime
import Testing

@Suite struct SandboxIntegrationTests {
    private static let probe = """
        import os
        def can(path):
            try:
                with open(path, 'w') as file: file.write('x')
                return 'yes'
            except OSError as error: return error.strerror
        status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
        print('user', os.getuid(), os.getgid())
        print('caps', int(status['CapBnd'], 16), int(status['CapEff'], 16))
        print('nnp', status['NoNewPrivs'].strip())
        for path in ('/bot/x', '/state/x', '/tmp/x', '/x', '/usr/x', '/the0/x', '/dev/shm/x'): print(path, can(path))
        print('tmp', os.statvfs('/tmp').f_blocks * os.statvfs('/tmp').f_frsize)
        print('cwd', os.getcwd())
        print('env', ' '.join(sorted(os.environ)))
        """

    @Test func aBotIsShutInAsTheSandboxSays() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            try await runner.start(try engine.spec("shut", SandboxIntegrationTests.probe), attempt: 0)
            #expect(try await engine.exit(runner, "shut").code == 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let lines = try await runner.lastLines(of: run, limit: 50).map(\.text)
            #expect(lines.prefix(3) == ["user 65532 65532", "caps 0 0", "nnp 1"])
            #expect(lines.contains("/bot/x yes"))
            #expect(lines.contains("/state/x yes"))
            #expect(lines.contains("/tmp/x yes"))
            for path in ["/x", "/usr/x", "/the0/x"] { #expect(!lines.contains("\(path) yes")) }
            #expect(lines.contains("tmp \(64 << 20)"))
            #expect(lines.contains("cwd /bot"))
            let environment = try #require(lines.first { $0.hasPrefix("env ") })
            for name in ["BOT_ID", "BOT_CONFIG", "CODE_MOUNT_DIR", "STATE_DIR"] { #expect(environment.contains(name)) }
            for name in ["MINIO", "MONGO", "NATS", "DOCKER_HOST"] { #expect(!environment.contains(name)) }
        }
    }

    @Test func eachPartOfTheSandboxCanBeSetForTheWholeRunner() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let open = Sandbox(
                user: Sandbox.UserID(user: 0, group: 0),
                readOnlyRoot: false,
                dropCapabilities: false,
                noNewPrivileges: false,
                processLimit: 77,
                temporarySize: 1 << 20,
                network: .host
            )
            try await runner.start(try engine.spec("open", sandbox: open, SandboxIntegrationTests.probe), attempt: 0)
            #expect(try await engine.exit(runner, "open").code == 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let lines = try await runner.lastLines(of: run, limit: 50).map(\.text)
            #expect(lines.first == "user 0 0")
            #expect(!lines.contains("caps 0 0"))
            #expect(lines.contains("nnp 0"))
            #expect(lines.contains("/usr/x yes"))
            #expect(lines.contains("tmp \(1 << 20)"))
            let host = try await engine.hostConfig(run)
            #expect(host["PidsLimit"] == 77)
            #expect(host["NetworkMode"] == "host")
        }
    }

    @Test func f63LogFilesAndResourcesAreBounded() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner(DockerSettings(logFileSize: "1m", logFileCount: 2, stopGrace: .seconds(1)))
            let config: JSONObject = ["memory_limit": "64Mi", "memory_request": "32Mi", "cpu_limit": "250m"]
            try await runner.start(try engine.spec("bounded", config: config, sleeper), attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            let host = try await engine.hostConfig(run)
            #expect(host["LogConfig"] == ["Type": "json-file", "Config": ["max-size": "1m", "max-file": "2"]])
            #expect(host["Memory"] == .integer(64 << 20))
            #expect(host["MemorySwap"] == .integer(64 << 20))
            #expect(host["MemoryReservation"] == .integer(32 << 20))
            #expect(host["NanoCpus"] == 250_000_000)
            #expect(host["PidsLimit"] == 256)
            #expect(host["Init"] == true)
            #expect(host["RestartPolicy"]?.object?["Name"] == "no")
        }
    }

    @Test func f17BotsMayUseTheSamePortAndCannotReachOneAnother() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let server = """
                import socket, time
                s = socket.socket(); s.bind(('0.0.0.0', 8080)); s.listen()
                print('listening', flush=True)
                while True: time.sleep(1)
                """
            try await runner.start(try engine.spec("first", server), attempt: 0)
            try await runner.start(try engine.spec("second", server), attempt: 0)
            let first = try await engine.saying("listening", runner, "first")
            _ = try await engine.saying("listening", runner, "second")
            let container = try await engine.api.object(.get, "/containers/\(first.reference)/json")
            let networks = try #require(container["NetworkSettings"]?.object?["Networks"]?.object)
            let address = try #require(networks.members.first?.value.object?["IPAddress"]?.string)
            #expect(!address.isEmpty)
            let client = """
                import socket
                for target in (('\(address)', 8080), ('127.0.0.1', 8080)):
                    s = socket.socket(); s.settimeout(2)
                    try: s.connect(target); print('connected')
                    except OSError as error: print('refused')
                """
            try await runner.start(try engine.spec("client", client), attempt: 0)
            #expect(try await engine.exit(runner, "client").code == 0)
            let run = try #require(try await runner.runs(of: .live, id: "client").first)
            #expect(try await runner.lastLines(of: run, limit: 5).map(\.text) == ["refused", "refused"])
        }
    }
}

extension EngineFixture {
    func hostConfig(_ run: ObservedRun) async throws -> JSONObject {
        try #require(try await api.object(.get, "/containers/\(run.reference)/json")["HostConfig"]?.object)
    }
}
