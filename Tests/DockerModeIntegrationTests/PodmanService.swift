import DockerMode
import HTTP
import Testing

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// `scripts/podman` in a temporary folder.
struct PodmanService: Sendable {
    let folder: String
    private let process: pid_t

    var socket: String { folder + "/podman.sock" }

    /// Starts it, and returns when it answers.
    init() async throws {
        folder = try temporaryFolder("podman")
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let log = folder + "/podman.log"
        process = try spawn("/bin/sh", ["-c", "exec '\(root)/scripts/podman' '\(folder)' python >'\(log)' 2>&1"])
        let client = HTTPClient()
        let deadline = ContinuousClock.now + .seconds(180)
        while true {
            let request = HTTPRequest(url: "http://podman/_ping", unixSocket: socket)
            if let response = try? await client.execute(request), response.status == 200 { return }
            try #require(ContinuousClock.now < deadline && kill(process, 0) == 0, "podman doesn't answer; see \(log)")
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Ends it with all that runs in it, and removes its folder.
    func stop() {
        kill(process, SIGTERM)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        if let remover = try? spawn("/bin/rm", ["-rf", "--one-file-system", folder]) { waitpid(remover, &status, 0) }
    }
}
