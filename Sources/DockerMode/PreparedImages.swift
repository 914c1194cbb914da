import Crypto
import Entrypoints
import HTTP
import Logging
import Model
import Runtime
import Synchronization

/// Images that bots' containers are made from: a language's image with three folders added.
///
/// Why an image: a read-only root accepts files only inside a volume, and a volume on a path that the image doesn't have
/// belongs to root with mode 0755; a tar's own "./" entry doesn't change that (tried with 20.10). A volume on a path that the
/// image has takes owner and mode from there. So `/bot` and `/state` (mode 1777, for any user) come with the image, and so does
/// `/the0` with the start scripts, which no archive can reach and nobody can write. A commit appears under its name at once and
/// whole, which a volume of scripts filled by two runners wouldn't. It takes 0.2 s, once per image and scripts.
struct PreparedImages: Sendable {
    let engine: Engine
    let instance: String
    let flights: SingleFlight<String, Void>
    let known: KnownImages
    let logger: Logger

    /// The prepared image for a language runtime, made if need be.
    /// - Parameter base: the id of the language's image.
    func image(for runtime: LanguageRuntime, base: String) async throws(RunnerError) -> String {
        let name = PreparedImages.name(runtime, base: base)
        if known.contains(name) { return name }
        try await flights.run(name) { () async throws(RunnerError) in
            do throws(DockerError) {
                if try await engine.hasImage(name) == false { try await make(name, runtime, base: base) }
            } catch {
                throw error.runnerError(.image, "preparing image \(runtime.image)")
            }
        }
        known.insert(name)
        return name
    }

    /// Called when the engine turns out not to have it any more.
    func forget(_ name: String) {
        known.remove(name)
    }

    /// The name of a prepared image: it says what it holds.
    static func name(_ runtime: LanguageRuntime, base: String) -> String {
        let digest = SHA256.hash(data: Array("\(base)\0\(filesDigest(runtime.entrypoint))".utf8)).hexText
        return "the0-runtime/\(runtime.name.lowercased()):\(digest.prefix(12))"
    }

    /// A hash of what is added for a kind of entrypoint.
    static func filesDigest(_ kind: EntrypointKind) -> String {
        SHA256.hash(data: tar(kind)).hexText
    }

    private static func tar(_ kind: EntrypointKind) -> [UInt8] {
        var tar = TarBlocks()
        tar.addDirectory("bot", mode: 0o1777)
        tar.addDirectory("state", mode: 0o1777)
        tar.addDirectory("the0", mode: 0o555)
        for file in kind.files {
            tar.addFile("the0/" + file.name, mode: file.executable ? 0o555 : 0o444, contents: file.contents)
        }
        tar.finish()
        return tar.bytes
    }

    private func make(_ name: String, _ runtime: LanguageRuntime, base: String) async throws(DockerError) {
        var create = EngineCall(method: .post, path: "/containers/create", deadlines: EngineCall.work)
        create.setBody([
            "Image": .string(base),
            "Entrypoint": ["/bin/sh"],
            "Cmd": [],
            "Labels": [Label.preparing: "true", Label.instance: .string(instance)],
            "HostConfig": ["NetworkMode": "none"],
        ])
        let container = try await engine.send(create).createdID()
        do throws(DockerError) {
            var put = EngineCall(
                method: .put,
                path: EngineCall.path("containers", container, "archive"),
                query: [("path", "/")]
            )
            put.body = .bytes(PreparedImages.tar(runtime.entrypoint))
            put.contentType = "application/x-tar"
            put.deadlines = EngineCall.work
            try await engine.send(put).expect(200)
            try await commit(container, as: name, runtime, base: base)
        } catch {
            await engine.discardContainer(container, logger)
            throw error
        }
        await engine.discardContainer(container, logger)
        logger.info("prepared image", metadata: ["image": "\(runtime.image)", "as": "\(name)"])
    }

    private func commit(
        _ container: String,
        as name: String,
        _ runtime: LanguageRuntime,
        base: String
    ) async throws(DockerError) {
        let labels: JSONValue = [
            Label.prepared: "true",
            // The container's labels come along unless they are given here.
            Label.preparing: "false",
            Label.instance: "",
            Label.preparedBase: .string(base),
            Label.preparedKind: .string(runtime.entrypoint.rawValue),
            Label.preparedFiles: .string(PreparedImages.filesDigest(runtime.entrypoint)),
            Label.image: .string(runtime.image),
        ]
        try await engine.commit(container, as: name, labels: labels)
    }
}

/// Which prepared images the engine was seen to have.
final class KnownImages: Sendable {
    private let names = Mutex<Set<String>>([])

    func contains(_ name: String) -> Bool { names.withLock { $0.contains(name) } }

    func insert(_ name: String) { names.withLock { _ = $0.insert(name) } }

    func remove(_ name: String) { names.withLock { _ = $0.remove(name) } }
}

extension EngineAnswer {
    /// The id of what was created.
    func createdID() throws(DockerError) -> String {
        try expect(201)
        guard let id = try object()["Id"]?.string, !id.isEmpty else { throw nonsense("no Id of what was created") }
        return id
    }
}
