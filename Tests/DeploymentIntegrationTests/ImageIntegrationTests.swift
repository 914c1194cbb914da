import Foundation
import HTTP
import ObjectStorage
import TestSupport
import Testing
import Util

/// The image, run by the local engine.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ImageIntegrationTests {
    @Test func theProgramHasAllItNeedsAndNothingElse() async throws {
        try await RuntimeImage.with { image, engine in
            let version = try await image.run(["version"])
            #expect(version.isSuccess && version.text.hasPrefix("runtime "), "\(version.errorText)")
            // Not root, and no shell to be had.
            let user = try await engine.docker("image", "inspect", "--format", "{{.Config.User}}", image.name)
            #expect(user == "65532:65532\n")
            #expect(try await !image.run([], options: ["--entrypoint", "/bin/sh"]).isSuccess)
            // Time zones, and a name that can't be resolved: files and DNS are asked.
            let next = try await image.run([
                "schedules", "next", "0 9 * * *", "--zone", "Europe/Berlin", "--count", "1",
            ])
            #expect(next.isSuccess && next.text.contains("Europe/Berlin"), "\(next.errorText)")
            let health = try await image.run(["health", "--listen", "127.0.0.1:1"], options: ["--network", "none"])
            #expect(health.termination == .exited(69) && health.errorText.contains("127.0.0.1:1"))
            // Its folder is its own, also when it is a new volume.
            let volume = "the0-test-\(UInt32.random(in: 0 ... .max))"
            try await engine.docker("volume", "create", "--label", "the0.test=image", volume)
            let store = try TemporaryFolder()
            try store.write("bots/bots.yaml", "[]\n")
            #expect(chmod(store.path, 0o755) == 0)
            let once = try await image.run(
                ["bot-runner", "--once", "--store", "/bots", "--docker-host", "tcp://127.0.0.1:1"],
                options: ["--network", "none", "-v", "\(volume):/var/lib/the0", "-v", "\(store.file("bots")):/bots:ro"]
            )
            try await engine.docker("volume", "rm", volume)
            // It gets as far as the engine that isn't there: its cache could be made.
            #expect(once.termination == .exited(69) && once.errorText.contains("127.0.0.1:1"), "\(once.errorText)")
        }
    }

    @Test func codeIsUnpackedAsInAPod() async throws {
        let server = try await S3Server.shared()
        let client = HTTPClient()
        let storage = S3ObjectStorage(
            try S3Configuration(
                endpoint: server.endpoint,
                accessKey: server.accessKey,
                secretKey: server.secretKey,
                bucket: "unpacked"
            ),
            client: client,
            executor: try BlockingExecutor(name: "objects")
        )
        try await requireCommand(
            [
                "curl", "-sS", "-m", "10", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u",
                "\(server.accessKey):\(server.secretKey)", "-X", "PUT", "http://\(server.endpoint)/unpacked",
            ]
        )
        let code = makeZip([.file("main.py", "print(1)"), .file("größe/run", "#!", executable: true)])
        try await storage.put("code.zip", bytes: code, contentType: "application/zip")
        let folder = try TemporaryFolder()
        for name in ["bot", "state", "link"] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: false)
        }
        #expect(chmod(folder.path, 0o755) == 0)
        // As the kubelet gives an emptyDir to the group of the Pod.
        for name in ["bot", "state"] {
            #expect(chown(folder.file(name), 0, 65532) == 0 && chmod(folder.file(name), 0o2777) == 0)
        }
        let options = [
            "--network", "host", "-v", "\(folder.file("bot")):/bot", "-v", "\(folder.file("state")):/state",
            "-v", "\(folder.file("link")):/run/the0:ro",
        ]
        try await RuntimeImage.with { image, _ in
            let url = try storage.presignedURL("code.zip", expires: .seconds(300))
            let state = try storage.presignedURL("none/state.tar.gz", expires: .seconds(300))
            try folder.write("link/code.json", #"{"url": "\#(url)", "state_url": "\#(state)"}"#)
            for _ in 0..<2 {
                let result = try await image.run(["unpack"], options: options)
                #expect(result.isSuccess, "\(result.errorText)")
                #expect(!result.errorText.contains("X-Amz") && result.errorText.contains("code is here"))
                let tree = try FileManager.default.subpathsOfDirectory(atPath: folder.file("bot")).sorted()
                #expect(tree == [".the0-unpack", "größe", "größe/run", "main.py"])
                // The bot's mark goes: /bot is there for the code alone.
                try FileManager.default.removeItem(atPath: folder.file("bot/.the0-unpack"))
            }
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file("bot/größe/run"))
            #expect(attributes[.posixPermissions] as? Int == 0o755 && attributes[.ownerAccountID] as? Int == 65532)

            for (text, code, part) in [
                (#"{"url": "\#(url.replacingOccurrences(of: "code.zip", with: "other.zip"))"}"#, Int32(69), "link"),
                (#"{"url": "nonsense"}"#, 78, "/run/the0/code.json"),
            ] {
                try folder.write("link/code.json", text)
                let result = try await image.run(["unpack"], options: options)
                #expect(result.termination == .exited(code), "\(result.errorText)")
                #expect(result.errorText.contains(part) && !result.errorText.contains("X-Amz"))
            }
        }
    }
}
