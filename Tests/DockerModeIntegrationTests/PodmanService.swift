import DockerMode
import HTTP
import Testing

/// `scripts/podman` in a temporary folder.
struct PodmanService: Sendable {
    let folder: String
    private let service: Service

    var socket: String { folder + "/podman.sock" }

    /// Starts it, and returns when it answers.
    init() async throws {
        folder = try temporaryFolder("podman")
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let log = folder + "/podman.log"
        // `unshare`, which the script becomes, ignores SIGTERM; what it started dies with it.
        let script =
            "'\(root)/scripts/podman' '\(folder)' python >'\(log)' 2>&1 </dev/null & read end; kill -KILL $!; wait"
        service = try Service("/bin/sh", ["-c", script])
        do { try await waitUntilItAnswers() } catch {
            stop()
            throw error
        }
    }

    private func waitUntilItAnswers() async throws {
        let client = HTTPClient()
        let deadline = ContinuousClock.now + .seconds(180)
        while true {
            let request = HTTPRequest(url: "http://podman/_ping", unixSocket: socket)
            if let response = try? await client.execute(request), response.status == 200 { return }
            try #require(ContinuousClock.now < deadline && service.isRunning, "podman doesn't answer")
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Ends it with all that runs in it, and removes its folder.
    func stop() {
        service.stop()
        do { try shell("rm -rf --one-file-system '\(folder)'") } catch { Issue.record("\(folder) can't be removed") }
    }
}
