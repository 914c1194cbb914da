import Foundation
import TestSupport
import Testing

@testable import runtime_cli

/// `runtime unpack` and `runtime health`, as the built program.
@Suite(.timeLimit(.minutes(2))) struct UnpackProgramTests {
    private let program: RuntimeProgram
    private var target: String { program.folder.file("bot") }
    private var state: String { program.folder.file("state") }

    init() throws {
        program = try RuntimeProgram()
        for path in [target, state] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
    }

    private func flags(_ json: String) throws -> [String] {
        let file = try program.folder.write("code.json", json)
        return ["unpack", "--from", file, "--target", target, "--state", state]
    }

    private func tree(_ path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
    }

    @Test func codeIsUnpackedAndTheLinkIsNowhere() async throws {
        let fake = try FakeS3 { _, _ in .object(makeZip([.file("main.py", "print(1)")])) }
        defer { fake.stop() }
        let url = "http://\(fake.endpoint)/bucket/code?X-Amz-Signature=hush-hush"
        for level in ["info", "trace"] {
            let result = try await program.run(try flags(#"{"url": "\#(url)"}"#) + ["--log-level", level])
            #expect(result.termination == .exited(0), "\(result.errorText)")
            #expect(result.errorText.contains("code is here"))
            for part in ["hush", "bucket"] { #expect(!result.errorText.contains(part) && !result.text.contains(part)) }
        }
        #expect(try tree(target) == [".the0-unpack", "main.py"])
    }

    @Test func eachFailureHasItsCodeAndSaysWhy() async throws {
        let fake = try FakeS3 { _, request in
            if request.target.hasPrefix("/zip") { return .object(Array("no zip".utf8)) }
            if request.target.hasPrefix("/bomb") { return .whole(status: 200, headers: ["ETag: \"x\""], body: []) }
            return .error(403, "AccessDenied", "Request has expired")
        }
        defer { fake.stop() }
        let place = "http://\(fake.endpoint)"
        for (json, code, part) in [
            (#"{"url": "\#(place)/expired?X-Amz-Signature=hush"}"#, Int32(69), "the link has probably expired"),
            (#"{"url": "\#(place)/zip?X-Amz-Signature=hush"}"#, 65, "the code can't be unpacked"),
            (#"{"url": "\#(place)/bomb?X-Amz-Signature=hush"}"#, 65, "the code can't be unpacked"),
            (
                #"{"url": "\#(place)/zip", "state_url": "\#(place)/x?X-Amz-Signature=hush"}"#, 69,
                "state can't be restored"
            ),
            (#"{"url": "hush"}"#, 78, "url: the link to an object"), ("hush", 78, "expected a JSON object"),
        ] {
            let result = try await program.run(try flags(json))
            #expect(result.termination == .exited(code), "\(json): \(result.errorText)")
            #expect(result.errorText.contains("error: ") && result.errorText.contains(part), "\(result.errorText)")
            #expect(!result.errorText.contains("hush"), "\(result.errorText)")
            #expect(try tree(target).allSatisfy { $0 == ".the0-unpack" } && tree(state) == [])
        }
        let missing = try await program.run("unpack", "--from", program.folder.file("none"))
        #expect(missing.termination == .exited(78) && missing.errorText.contains(program.folder.file("none")))
        let level = try await program.run("unpack", "--log-level", "loud")
        #expect(level.termination == .exited(78) && level.errorText.contains("loud"))
    }

    @Test func foldersThatCannotBeFilledAreNamed() async throws {
        try program.folder.write("bot/photo", "mine")
        let result = try await program.run(try flags(#"{"url": "http://127.0.0.1:1/x"}"#))
        #expect(result.termination == .exited(78) && result.errorText.contains(target), "\(result.errorText)")
        #expect(try tree(target) == ["photo"])
    }

    @Test func aSignalEndsIt() async throws {
        let port = try freePort()
        let silent = try SilentSocket(port: port)
        let process = try program.start(
            try flags(#"{"url": "http://127.0.0.1:\#(port)/x"}"#) + ["--log-level", "debug"]
        )
        try await eventually("its work has begun") { try tree(target) == [".the0-unpack"] }
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(10)) == .exited(143))
        #expect(try tree(target) == [".the0-unpack"])
        withExtendedLifetime(silent) {}
    }

    @Test func healthTellsByItsCode() async throws {
        let port = try freePort()
        let dead = try await program.run("health", "--listen", ":\(port)")
        #expect(dead.termination == .exited(69) && dead.errorText.contains("127.0.0.1:\(port)"), "\(dead.errorText)")
        let wrong = try await program.run("health", "--listen", "8080")
        #expect(wrong.termination == .exited(78))
        let engine = program.folder.file("none.sock")
        let store = try program.makeStore()
        let flags = ["--store", store, "--docker-host", "unix://\(engine)", "--listen", "127.0.0.1:\(port)"]
        let process = try program.start(["bot-runner"] + flags)
        try await program.printed("status server is listening")
        let alive = try await program.run("health", "--listen", "127.0.0.1:\(port)")
        #expect(alive.termination == .exited(0), "\(alive.errorText)")
        // Without an engine it isn't ready.
        let ready = try await program.run("health", "--ready", "--listen", "127.0.0.1:\(port)")
        #expect(ready.termination == .exited(69) && ready.text.contains("engine"), "\(ready.text)\(ready.errorText)")
        process.send(SIGTERM)
        #expect(await process.ended(within: .seconds(30)) == .exited(0))
    }
}
