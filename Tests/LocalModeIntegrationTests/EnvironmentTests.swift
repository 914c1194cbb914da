import Foundation
import Logging
import Model
import Runtime
import TestSupport
import Testing

@testable import LocalMode

@Suite struct LocalEnvironmentIntegrationTests {
    @Test func aBotSeesNothingOfTheRunnersOwnEnvironment() async throws {
        try await LocalFixture.with { local in
            setenv("MINIO_SECRET_KEY", "a-secret-of-the-runner", 1)
            let runner = try await local.runner()
            let program = "import json, os\nprint(json.dumps(dict(os.environ)), flush=True)\n"
            let spec = try local.spec("env", program)
            try await runner.start(spec, attempt: 0)
            _ = try await local.exit(runner, "env")
            let text = try #require(try await local.printed(runner, "env").first)
            #expect(!text.contains("a-secret-of-the-runner"))
            let names = Set(try #require(try JSONValue.parse(text).object).keys)
            let own: Set = ["PATH", "HOME", "TMPDIR", "LANG", "THE0_CODE_DIR", "THE0_RUN"]
            // What the shell sets by itself.
            #expect(names.subtracting(["PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"]) == own.union(spec.environment.keys))
            let environment = try JSONValue.parse(text).object
            let code = try #require(environment?["CODE_MOUNT_DIR"]?.string)
            #expect("/\(code)" == local.run("env").code)
            #expect(environment?["HOME"]?.string == local.run("env").temporary)
        }
    }

    @Test func resultsAreWrittenWhereSDKsWriteThem() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            let program = "import os\nopen('/' + os.environ['CODE_MOUNT_DIR'] + '/result.json', 'w').write('{}')\n"
            try await runner.start(try local.spec("res", program), attempt: 0)
            #expect(try await local.exit(runner, "res").code == 0)
            #expect(try SystemFile.read("\(local.run("res").code)/result.json") == Array("{}".utf8))
        }
    }

    @Test func whatHoldsSecretsIsForThisUserOnlyAndGone() async throws {
        try await LocalFixture.with { local in
            let runner = try await local.runner()
            try await runner.start(try local.spec("p", sleeper), attempt: 0)
            #expect(!SystemFile.exists(local.run("p").launch))
            #expect(SystemFile.isPrivate(local.run("p").path))
        }
    }

    @Test func aFolderThatOthersMayWriteIsRefused() async throws {
        try await LocalFixture.with { local in
            _ = try await local.runner()
            chmod(local.data.runs, 0o777)
            let error = await #expect(throws: RunnerError.self) { try await local.runner() }
            #expect(error?.message.contains(local.data.runs) == true)
            chmod(local.data.runs, 0o700)
        }
    }

    @Test func aFolderThatCannotBeMadeIsNamed() async throws {
        try await LocalFixture.with { local in
            let file = try local.folder.write("file", "")
            let error = await #expect(throws: RunnerError.self) {
                try await LocalRunner.open(
                    directory: file,
                    code: local.code,
                    supervisor: LocalFixture.supervisor,
                    path: "/bin",
                    executor: local.executor,
                    logger: .init(label: "test")
                )
            }
            #expect(error?.message.contains(file) == true)
        }
    }
}
