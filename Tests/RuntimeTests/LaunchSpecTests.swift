import Entrypoints
import Model
import Runtime
import Testing

@Suite struct LaunchSpecTests {
    func executable(
        id: BotID = "b",
        config: JSONObject = ["symbol": "BTC"],
        runtime: String = "python3.11",
        entrypoint: String? = "main.py",
        version: String = "1",
        key: String = "code.zip"
    ) -> Executable {
        let program = CustomBotConfig(name: "n", runtime: runtime, entrypoints: entrypoint.map { ["bot": $0] } ?? [:])
        return Executable(
            id: id,
            kind: .live,
            config: config,
            custom: CustomBotVersion(version: version, code: .object(key: key), config: program)
        )
    }

    func hash(_ executable: Executable, _ builder: LaunchSpecBuilder = LaunchSpecBuilder()) throws -> String {
        try builder.spec(for: executable).hash
    }

    @Test func theBotSeesTheContractsEnvironment() throws {
        let environment = try LaunchSpecBuilder().spec(for: executable()).environment
        #expect(
            environment == [
                "BOT_ID": "b", "ID": "b", "BOT_CONFIG": #"{"symbol":"BTC"}"#, "CONFIG": #"{"symbol":"BTC"}"#,
                "BOT_TYPE": "realtime", "CODE_MOUNT_DIR": "bot", "ENTRYPOINT_TYPE": "bot", "SCRIPT_PATH": "main.py",
                "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "STATE_DIR": "/state/.the0-state",
            ]
        )
    }

    @Test func theHashIsTheSameForWhatNeedsNoRestart() throws {
        let base = try hash(executable(config: ["a": 1, "b": 2]))
        #expect(try hash(executable(config: ["b": 2, "a": 1])) == base)
        #expect(try hash(executable(config: ["a": 1, "b": 2, "enabled": true])) == base)
        #expect(try hash(executable(config: ["a": 1, "b": 2, "execution": ["restart": ["initial": "5s"]]])) == base)
        #expect(base.count == 64)
    }

    @Test func theHashDiffersForWhatDoes() throws {
        var other = LaunchSpecBuilder()
        other.sandbox.network = .host
        var larger = LaunchSpecBuilder()
        larger.resources.memoryLimit <<= 1
        let mirrored = LaunchSpecBuilder(
            catalogue: try RuntimeCatalogue.standard.overriding(images: ["python3.11": "m/python:3"])
        )
        var replaced = executable()
        replaced.custom.code = .directory(path: "/x", digest: "d1")
        var saved = executable()
        saved.custom.code = .directory(path: "/x", digest: "d2")
        let hashes = [
            try hash(executable()), try hash(executable(id: "c")), try hash(executable(config: ["symbol": "ETH"])),
            try hash(executable(version: "2")), try hash(executable(key: "other.zip")),
            try hash(executable(entrypoint: "other.py")),
            try hash(executable(runtime: "nodejs20", entrypoint: "main.js")),
            try hash(executable(), other), try hash(executable(), larger), try hash(executable(), mirrored),
            try hash(executable(config: ["symbol": "BTC", "memory_limit": "1Gi"])), try hash(replaced), try hash(saved),
            try hash(executable(config: ["symbol": 1])), try hash(executable(config: ["symbol": 1.0])),
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func theHashIsThatOfEarlierVersions() throws {
        // A new value here would restart every bot of every user at their next upgrade.
        let hash = try hash(executable())
        #expect(hash == "c994b21be7448236368a1ce4355193a1562977f136ea766b33fc15efa0fd73dd")
    }

    @Test func f44EveryRuntimeInTheCatalogueCanBeStarted() throws {
        let entrypoints: [EntrypointKind: String] = [
            .python: "main.py", .node: "main.js", .native: "bot", .dotnet: "B.dll", .jvm: "b.jar",
        ]
        let names = RuntimeCatalogue.standard.all.map(\.name)
        #expect(names == ["cpp-gcc13", "dotnet8", "gcc13", "ghc96", "nodejs20", "python3.11", "rust-stable", "scala3"])
        for runtime in RuntimeCatalogue.standard.all {
            let entrypoint = try #require(entrypoints[runtime.entrypoint])
            let spec = try LaunchSpecBuilder().spec(for: executable(runtime: runtime.name, entrypoint: entrypoint))
            #expect(spec.runtime == runtime)
            #expect(spec.runtime.entrypoint.files.contains { $0.name == "entrypoint.sh" })
        }
    }

    @Test func anUnknownRuntimeIsAnErrorThatListsTheKnownOnes() {
        #expect { _ = try hash(executable(runtime: "cobol")) } throws: { error in
            let text = (error as? DocumentError)?.description ?? ""
            return text.contains("custom.config.runtime") && text.contains("python3.11") && text.contains("scala3")
        }
    }

    @Test(arguments: ["../x.py", "/etc/passwd", "a\nb.py", "a/../../b.py"])
    func anEntrypointThatLeavesTheCodeIsAnError(path: String) {
        #expect { _ = try hash(executable(entrypoint: path)) } throws: {
            ($0 as? DocumentError)?.field == "custom.config.entrypoints.bot"
        }
    }

    @Test func aConfigTooLongForAnEnvironmentIsAnErrorAndTheLongestIsNot() throws {
        let overhead = #"{"k":""}"#.utf8.count
        let longest = String(repeating: "x", count: LaunchSpecBuilder.longestConfig - overhead)
        #expect(try !hash(executable(config: ["k": .string(longest)])).isEmpty)
        #expect { _ = try hash(executable(config: ["k": .string(longest + "x")])) } throws: {
            ($0 as? DocumentError)?.field == "config"
        }
        let huge = String(repeating: "x", count: 16 << 20)
        #expect(throws: DocumentError.self) { try hash(executable(config: ["k": .string(huge)])) }
    }

    @Test(
        arguments: [
            ("memory_limit", "512"), ("memory_limit", "lots"), ("memory_limit", "-1Gi"), ("cpu_limit", "0"),
            ("cpu_limit", "1 core"),
            ("memory_request", "2Gi"), ("cpu_request", "2"), ("memory_limit", .array([])),
        ] as [(String, JSONValue)]
    )
    func aResourceThatCannotBeIsAnErrorThatNamesIt(field: String, value: JSONValue) {
        #expect { _ = try hash(executable(config: [field: value])) } throws: {
            ($0 as? DocumentError)?.field == "config.\(field)"
        }
    }

    @Test func resourcesComeFromTheBotAndElseFromTheDefaults() throws {
        let plain = try LaunchSpecBuilder().spec(for: executable()).resources
        #expect(plain == .standard)
        let small = try LaunchSpecBuilder().spec(for: executable(config: ["memory_limit": "64Mi", "cpu_limit": "50m"]))
            .resources
        #expect(small == Resources(memoryLimit: 64 << 20, memoryRequest: 64 << 20, cpuLimit: 50, cpuRequest: 50))
    }

    @Test func anImageCanBeOverriddenAndAnUnknownRuntimeCannot() throws {
        let catalogue = try RuntimeCatalogue.standard.overriding(images: ["gcc13": "mirror/gcc:13"])
        #expect(catalogue["gcc13"]?.image == "mirror/gcc:13")
        #expect(catalogue["cpp-gcc13"]?.image == "gcc:13")
        #expect(throws: CatalogueError.self) { try RuntimeCatalogue.standard.overriding(images: ["gcc14": "x"]) }
        #expect(throws: CatalogueError.self) { try RuntimeCatalogue.standard.overriding(images: ["gcc13": ""]) }
    }
}
