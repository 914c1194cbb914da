import Foundation
import HTTP
import Model
import TestSupport
import Util

/// A container that the program has made for a bot: what the floor's containers are made like, and what the fake engine
/// answers with.
struct Recording: Sendable {
    /// As `GET /containers/{id}/json` shows it.
    let details: JSONObject
    /// As `GET /containers/json` shows it.
    let summary: JSONObject
    /// What the engine says of itself.
    let version: JSONValue
    let info: JSONValue
    /// The instance that it belonged to; its network is still there.
    let instance: String
    /// The prepared image with the bot's code in it, so that the floor's containers do the same work without an upload.
    let image: String
    /// Its id. Swarm asks no registry about an image that is named so.
    let imageID: String
    /// The bot's code, as a tar for `/bot`.
    let code: [UInt8]
    let run: String

    /// Has the program run one bot and looks at its container.
    static func make(_ bench: BenchEnvironment, api: EngineAPI, engine: String, row: String = "floor") async throws
        -> Recording
    {
        say("recording a bot's container")
        let instance = bench.instance(row)
        let store = try await BotDirectory(
            bench.folder,
            name: "store-\(row)",
            program: BotProgram.sleeper,
            bots: ["bench-recorded"]
        )
        let label = "runtime.instance=\(instance)"
        let process = try RuntimeProcess(
            ["bot-runner", "--store", store.path],
            environment: bench.settings(instance, engine: engine),
            log: bench.folder.file("recording-\(row).log")
        )
        let summary: JSONObject
        do {
            summary = try await eventuallyValue(within: .seconds(120), "the recorded bot runs") {
                try await api.containers(label: label).first { $0["State"]?.string == "running" }
            }
        } catch {
            await process.stop()
            throw FixtureError("\(error)\n\(process.output.suffix(2000))")
        }
        await process.stop()
        let details = try await api.inspect(summary["Id"]?.string ?? "")
        let (image, imageID, code) = try await floorImage(bench, api: api, base: details)
        let recording = Recording(
            details: details,
            summary: summary,
            version: try await api.send(.get, "/version").expect(200).json,
            info: try await api.send(.get, "/info").expect(200).json,
            instance: instance,
            image: image,
            imageID: imageID,
            code: code,
            run: bench.run
        )
        try await api.removeAll(label: label, keepingNetworks: true)
        return recording
    }

    /// The prepared image with the code in `/bot`.
    private static func floorImage(_ bench: BenchEnvironment, api: EngineAPI, base details: JSONObject) async throws
        -> (name: String, id: String, code: [UInt8])
    {
        guard let base = details["Config"]?.object?["Image"] else { throw FixtureError("a container without image") }
        let tar = try await runCommand([
            "tar", "-C", bench.folder.file("store-floor/program"), "--owner=65532", "--group=65532", "-c", ".",
        ])
        let code = [UInt8](tar.output)
        let labels: JSONValue = [BenchEnvironment.label: .string(bench.run)]
        let container = try await api.create(
            ["Image": base, "Entrypoint": ["/bin/sh"], "Labels": labels, "HostConfig": ["NetworkMode": "none"]],
            name: "\(bench.run)-image"
        )
        try await upload(code, to: container, api: api)
        let query = [("container", container), ("repo", "the0-bench"), ("tag", bench.run), ("pause", "false")]
        let body = HTTPRequestBody.bytes(Array(JSONValue(["Labels": labels]).text.utf8))
        let answer = try await api.send(.post, "/commit", query: query, body: body).expect(201)
        guard let id = try answer.json.object?["Id"]?.string else { throw FixtureError("a commit without an id") }
        try await api.send(.delete, "/containers/\(container)", query: [("force", "1")]).expect(204)
        return ("the0-bench:\(bench.run)", id, code)
    }

    /// What the program does between making and starting a container, and the floor doesn't.
    static func upload(_ code: [UInt8], to container: String, api: EngineAPI) async throws {
        try await api.send(
            .put,
            "/containers/\(container)/archive",
            query: [("path", "/bot")],
            body: .bytes(code),
            type: "application/x-tar"
        ).expect(200)
    }

    /// What `POST /containers/create` takes for a container of the same settings that is no bot's.
    /// - Parameters:
    ///   - name: names its volume for state.
    ///   - image: the floor's image unless another is given.
    func request(_ name: String, image: String? = nil) -> JSONValue {
        var request = details["Config"]?.object ?? [:]
        for field in ["Hostname", "Domainname"] { request[field] = nil }
        request["Image"] = .string(image ?? self.image)
        let own: JSONValue = [BenchEnvironment.label: .string(run)]
        // As many labels as a bot's container has, under names that no runner looks at.
        var labels = own.object ?? [:]
        for (key, value) in request["Labels"]?.object?.members ?? [] where !key.hasPrefix("runtime.prepared") {
            labels["\(BenchEnvironment.label).\(key)"] = value
        }
        request["Labels"] = .object(labels)
        var host = details["HostConfig"]?.object ?? [:]
        host["Mounts"] = .array(
            (host["Mounts"]?.elements ?? []).map { mount in
                var mount = mount.object ?? [:]
                mount["Source"] = .string("\(name)-state")
                mount["VolumeOptions"] = ["Labels": own]
                return .object(mount)
            }
        )
        request["HostConfig"] = .object(host)
        return .object(request)
    }
}
