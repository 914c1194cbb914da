import Entrypoints
import HTTP
import Logging
import Model
import Runtime
import Util

/// Finds and removes what runs left behind that no longer has a use. The engine itself refuses to remove what is in use.
struct Leftovers: Sendable {
    let engine: Engine
    let instance: String
    let images: ImageStore
    let prepared: PreparedImages
    let codeImages: CodeImages
    let logger: Logger

    /// A preparation takes a fifth of a second; one this old was broken off by its process's end.
    private static let preparationAge: Duration = .seconds(600)

    /// How long an image with code that no container uses is kept: those of bots that are about to start again.
    private static let codeImageAge: Duration = .seconds(3600)

    /// Removes the state of bots that don't exist any more.
    func removeStates(kinds: Set<ExecutableKind>, known: Set<BotID>) async throws(DockerError) {
        var call = EngineCall(method: .get, path: "/volumes", limit: 64 << 20)
        call.filter([("label", ["\(Label.managed)=true", "\(Label.instance)=\(instance)"]), ("dangling", ["true"])])
        let answer = try await engine.send(call)
        guard case .array(let volumes) = try answer.object()["Volumes"] ?? .array([]) else { return }
        for volume in volumes {
            guard let volume = volume.object, let name = volume["Name"]?.string, let labels = volume["Labels"]?.object,
                // Filters that an engine doesn't know it may ignore.
                labels[Label.managed]?.string == "true", labels[Label.instance]?.string == instance,
                let kind = labels[Label.kind]?.string.flatMap({ ExecutableKind(rawValue: $0) }), kinds.contains(kind),
                let id = labels[Label.id]?.string, !known.contains(BotID(id))
            else { continue }
            let path = EngineCall.path("volumes", name)
            // 409: a container was made with it in this moment.
            let removal = try await engine.send(EngineCall(method: .delete, path: path, deadlines: EngineCall.work))
            try removal.expect(204, 404, 409)
            if removal.status == 204 {
                logger.info(
                    "removed the state of a bot that is gone",
                    metadata: ["bot": "\(id.escapedForMessage)", "volume": "\(name)"]
                )
            }
        }
    }

    /// Removes containers in which an image was to be prepared.
    func removeBrokenPreparations() async throws(DockerError) {
        var call = EngineCall(method: .get, path: "/containers/json", query: [("all", "1")])
        call.filter([("label", ["\(Label.preparing)=true", "\(Label.instance)=\(instance)"])])
        let answer = try await engine.send(call)
        try answer.expect(200)
        let containers: [ContainerSummary]
        do { containers = try ContainerSummary.list(answer.body) } catch {
            throw answer.nonsense("no whole list of containers")
        }
        guard !containers.isEmpty else { return }
        let now = try await engine.clock()
        for container in containers where container.labels[Label.preparing] == "true" {
            let age = now.duration(since: Timestamp(secondsSince1970: container.created))
            if age > Leftovers.preparationAge { try await engine.deleteContainer(container.id, force: true) }
        }
    }

    /// Removes prepared images whose base or whose scripts there are newer ones of, and those with code that nothing uses.
    func removeSupersededImages() async throws(RunnerError) {
        do throws(DockerError) {
            var call = EngineCall(method: .get, path: "/images/json")
            call.filter([("label", ["\(Label.prepared)=true"])])
            let answer = try await engine.send(call)
            let now = try await engine.clock()
            for image in try answer.array().compactMap(\.object) {
                guard let id = image["Id"]?.string, let labels = image["Labels"]?.object,
                    labels[Label.prepared]?.string == "true", let base = labels[Label.preparedBase]?.string
                else { continue }
                if try await isCurrent(base: base, labels, tags: image["RepoTags"]) {
                    guard labels[Label.preparedCode] != nil, let created = image["Created"]?.seconds,
                        now.duration(since: created) > Leftovers.codeImageAge
                    else { continue }
                }
                try await remove(id, tags: image["RepoTags"])
            }
        } catch {
            throw error.runnerError(.unavailable, "looking for superseded images")
        }
    }

    private func isCurrent(base: String, _ labels: JSONObject, tags: JSONValue?) async throws(DockerError) -> Bool {
        guard case .array(let tags) = tags, tags.contains(where: { $0.string?.hasSuffix("<none>") == false }) else {
            return false
        }
        guard let kind = labels[Label.preparedKind]?.string.flatMap({ EntrypointKind(rawValue: $0) }),
            labels[Label.preparedFiles]?.string == PreparedImages.filesDigest(kind),
            let name = labels[Label.image]?.string
        else { return false }
        return try await images.find(name) == base
    }

    private func remove(_ id: String, tags: JSONValue?) async throws(DockerError) {
        var names: [String] = []
        if case .array(let tags) = tags { names = tags.compactMap(\.string).filter { !$0.hasSuffix("<none>") } }
        // By its names: an image of several can only be removed by id with force, and force would take it from containers.
        for name in names.isEmpty ? [id] : names {
            let path = "/images" + EngineCall.imagePath(name)
            let answer = try await engine.send(EngineCall(method: .delete, path: path, deadlines: EngineCall.work))
            // 409: a container uses it.
            try answer.expect(200, 404, 409)
            if answer.status == 200 {
                prepared.forget(name)
                codeImages.forget(name)
                logger.info("removed an image without use", metadata: ["image": "\(name)"])
            }
        }
    }
}

extension JSONValue {
    /// The time that a number of seconds since 1970 stands for.
    fileprivate var seconds: Timestamp? {
        guard case .integer(let seconds) = self else { return nil }
        return Timestamp(secondsSince1970: seconds)
    }
}
