import DockerMode
import HTTP
import Model
import Runtime
import TestSupport
import Testing

@Suite struct StartIntegrationTests {
    @Test func f01TheContainerItselfCarriesTheSpecificationsHash() async throws {
        try await EngineFixture.with { engine in
            let spec = try engine.spec("bot-1", config: ["key": "old"], sleeper)
            try await engine.runner().start(spec, attempt: 3)
            // Another process: it knows nothing but the engine.
            let run = try #require(try await engine.runner().runs(of: .live).first)
            #expect(run.id == "bot-1")
            #expect(run.origin == .hash(spec.hash))
            #expect(run.attempt == 3)
            #expect(run.matches(spec))
            #expect(
                !run.matches(try engine.spec("bot-1", config: ["key": "edited while the runner was down"], sleeper))
            )
        }
    }

    @Test func f02ManyStartsAtOnceByTwoRunnersMakeOneContainer() async throws {
        try await EngineFixture.with { engine in
            let spec = try engine.spec("racer", sleeper)
            let runners = [engine.runner(), engine.runner()]
            let errors = await withTaskGroup(of: RunnerError?.self) { group in
                for index in 0..<6 {
                    group.addTask {
                        do throws(RunnerError) { try await runners[index % 2].start(spec, attempt: 0) } catch {
                            return error
                        }
                        return nil
                    }
                }
                return await group.reduce(into: [RunnerError?]()) { $0.append($1) }
            }
            #expect(errors.contains { $0 == nil })
            #expect(errors.allSatisfy { $0 == nil || $0?.code == .conflict }, "\(errors)")
            let containers = try await engine.api.list(
                "containers/json",
                "runtime.instance=\(engine.instance)",
                extra: "&all=1"
            )
            #expect(containers.count == 1)
            #expect(containers.first?["State"]?.string == "running")
        }
    }

    @Test func codeOfSeveralBotsIsSentOnceAndIsEachOnesOwn() async throws {
        try await EngineFixture.with { engine in
            // Writes over its own code, which is in a folder of its own.
            let program = """
                import os, time
                print(sorted(os.listdir('/bot')), open('/bot/data.txt').read(), flush=True)
                open('/bot/data.txt', 'w').write('changed')
                time.sleep(600)
                """
            let files = ["main.py": program, "data.txt": engine.instance]
            let runner = engine.runner()
            var images: [String] = []
            for id in ["one", "two", "three"] as [BotID] {
                try await runner.start(try engine.spec(id, files: files), attempt: 0)
                let run = try await engine.saying("['data.txt', 'main.py'] \(engine.instance)", runner, id)
                let container = try await engine.api.object(.get, "/containers/\(run.reference)/json")
                images.append(container["Config"]?.object?["Image"]?.string ?? "")
            }
            #expect(images[1].hasPrefix("the0-runtime/code:") && images[1] == images[2] && images[0] != images[1])
            // Another process finds it; code that is one bot's own gets none.
            try await engine.runner().start(try engine.spec("four", files: files), attempt: 0)
            try await runner.start(try engine.spec("alone", sleeper + "# \(engine.instance)"), attempt: 0)
            let containers = try await engine.api.list("containers/json", "runtime.instance=\(engine.instance)")
            let labels = containers.compactMap { $0["Labels"]?.object }
            let filled = labels.filter { $0["runtime.prepared.code"] != nil }.compactMap { $0["runtime.id"]?.string }
            #expect(filled.sorted() == ["four", "three", "two"])
            // It is made anew where somebody has removed it.
            for run in try await runner.runs(of: .live) { try await runner.remove(run) }
            #expect(try await engine.api.call(.delete, "/images/\(images[1])").status == 200)
            try await runner.start(try engine.spec("two", files: files), attempt: 0)
            _ = try await engine.saying("['data.txt', 'main.py'] \(engine.instance)", runner, "two")
            // A container uses it, and it is young.
            try await runner.removeLeftovers(known: ["two"])
            try await runner.start(try engine.spec("three", files: files), attempt: 0)
            #expect(try await engine.api.call(.get, "/images/\(images[1])/json").status == 200)
        }
    }

    @Test func f14FailedStartsLeaveNothingBehind() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let spec = try engine.spec("broken", sleeper)
            // A network that doesn't exist fails the start of a container that was made.
            var sandbox = Sandbox()
            sandbox.network = .named("no-such-network-\(engine.instance)")
            let unstartable = try engine.spec("broken", sandbox: sandbox, sleeper)
            for attempt in 0..<3 {
                let error = await #expect(throws: RunnerError.self) {
                    try await runner.start(unstartable, attempt: attempt)
                }
                #expect(error?.code == .failedToStart)
            }
            try engine.code.spoil(spec)
            let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
            #expect(error?.code == .failedToStart, "\(String(describing: error))")
            #expect(try await runner.runs(of: .live).isEmpty)
            let left = try await engine.api.list(
                "containers/json",
                "runtime.instance=\(engine.instance)",
                extra: "&all=1"
            )
            #expect(left.isEmpty)
        }
    }

    @Test func f14AStartThatIsCancelledAnywhereLeavesNothingBehind() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let spec = try engine.spec("cancelled", sleeper)
            try await runner.start(spec, attempt: 0)
            let run = try #require(try await runner.runs(of: .live).first)
            try await runner.remove(run)
            var cancelled = 0
            for milliseconds in [0, 3, 10, 20, 40, 60, 90, 130, 180, 250] {
                let start = Task { try await runner.start(spec, attempt: 0) }
                try await Task.sleep(for: .milliseconds(milliseconds))
                start.cancel()
                let result = await start.result
                let containers = try await engine.api.list(
                    "containers/json",
                    "runtime.instance=\(engine.instance)",
                    extra: "&all=1"
                )
                switch result {
                case .success:
                    #expect(containers.map { $0["State"] } == ["running"])
                    for run in try await runner.runs(of: .live) { try await runner.remove(run) }
                case .failure(let error):
                    #expect((error as? RunnerError)?.code == .cancelled, "\(error)")
                    #expect(containers.isEmpty, "after \(milliseconds) ms: \(containers.map { $0["State"] })")
                    cancelled += 1
                }
            }
            #expect(cancelled >= 3)
        }
    }

    @Test func anEntrypointThatIsNotInTheCodeIsTheCodesFault() async throws {
        try await EngineFixture.with { engine in
            let spec = try engine.spec("lost", entrypoint: "other/main.py", files: ["main.py": "pass"])
            let error = await #expect(throws: RunnerError.self) { try await engine.runner().start(spec, attempt: 0) }
            #expect(error?.code == .codeInvalid)
            #expect(error?.isRetryable == false)
            #expect(error?.message.contains("other/main.py") == true)
        }
    }

    @Test func f15AnImageThatIsHereStartsWithoutARegistryAndOneThatIsNotIsNamed() async throws {
        try await EngineFixture.with { engine in
            // No registry can be reached from here.
            for policy in [DockerSettings.PullPolicy.missing, .never, .always] {
                let runner = engine.runner(DockerSettings(pullPolicy: policy, stopGrace: .seconds(1)))
                try await runner.start(try engine.spec("local", sleeper), attempt: 0)
                for run in try await runner.runs(of: .live) { try await runner.remove(run) }
            }
            var catalogue = RuntimeCatalogue.standard
            catalogue = try catalogue.overriding(images: ["python3.11": "registry.invalid/none:1"])
            let builder = LaunchSpecBuilder(catalogue: catalogue)
            let spec = try builder.spec(for: try engine.spec("missing", sleeper).executable)
            for policy in [DockerSettings.PullPolicy.missing, .never] {
                let runner = engine.runner(DockerSettings(pullPolicy: policy))
                let error = await #expect(throws: RunnerError.self) { try await runner.start(spec, attempt: 0) }
                #expect(error?.code == .image)
                #expect(error?.message.contains("registry.invalid/none:1") == true)
            }
        }
    }

    @Test(arguments: [
        "../../x", "/etc/passwd", "a b'c\"d", "new\nline", "=", "a=b", "ü–☃", ".", "-", "#?%2F", "{\"label\"}",
        "\u{1B}[31m",
    ])
    func f25AnyIdIsServedAndNoneBecomesAPath(_ id: String) async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let spec = try engine.spec(BotID(id), "import os\nprint(os.environ['BOT_ID'])\n")
            try await runner.start(spec, attempt: 0)
            let exit = try await engine.exit(runner, BotID(id))
            #expect(exit.code == 0)
            let run = try #require(try await runner.runs(of: .live).first)
            #expect(run.id == BotID(id))
            #expect(
                try await runner.lastLines(of: run, limit: 5).first?.text
                    == id.split(separator: "\n").first.map(String.init)
            )
            try await runner.remove(run)
            #expect(try await runner.runs(of: .live).isEmpty)
        }
    }

    @Test func f25AnIdOfAThousandCharactersIsServed() async throws {
        try await EngineFixture.with { engine in
            let id = BotID(String(repeating: "x/", count: 500))
            try await engine.runner().start(try engine.spec(id, sleeper), attempt: 0)
            #expect(try await engine.runner().runs(of: .live).first?.id == id)
        }
    }

    @Test func f46TheBotsOwnFilesAreLeftAloneAndCannotReachOurs() async throws {
        try await EngineFixture.with { engine in
            let runner = engine.runner()
            let program = """
                import os
                print(open('/bot/entrypoint.sh').read())
                for path in ('/the0/entrypoint.sh', '/the0/new', '/the0'):
                    try:
                        os.rename(path, '/tmp/x') if path != '/the0/new' else open(path, 'w')
                        print('reached', path)
                    except OSError as error:
                        print('refused', path)
                """
            let spec = try engine.spec(
                "own",
                files: ["main.py": program, "entrypoint.sh": "mine", "the0/entrypoint.sh": "exit 99"]
            )
            try await runner.start(spec, attempt: 0)
            #expect(try await engine.exit(runner, "own").code == 0)
            let run = try #require(try await runner.runs(of: .live).first)
            #expect(
                try await runner.lastLines(of: run, limit: 10).map(\.text) == [
                    "mine", "refused /the0/entrypoint.sh", "refused /the0/new", "refused /the0",
                ]
            )
        }
    }
}
