import Crypto
import HTTP
import Logging
import Model
import Runtime
import Synchronization

/// Images that hold a program's code besides: prepared images with `/bot` filled.
///
/// Sending code into a container takes the engine 50 ms, a sixth of a start. Where several bots run the same code it is committed
/// once, and a new container's `/bot` is copied from the image. Code of one bot alone is sent: for each of thousands of programs
/// an image would cost the engine more than it saves. What fails here only means that code is sent.
struct CodeImages: Sendable {
    let engine: Engine
    let instance: String
    let flights: SingleFlight<String, Void>
    let known: KnownImages
    let logger: Logger
    private let users = CodeUsers()
    /// Those that couldn't be made, which isn't tried again.
    private let missed = KnownImages()

    init(engine: Engine, instance: String, logger: Logger) {
        self.engine = engine
        self.instance = instance
        self.logger = logger
        flights = SingleFlight()
        known = KnownImages()
    }

    /// The image for a bot, made if need be; nil when the code is to be sent into its container.
    /// - Parameter prepared: the prepared image without code.
    func image(for spec: LaunchSpec, _ archive: CodeArchive, prepared: String) async throws(RunnerError) -> String? {
        guard let digest = archive.digest else { return nil }
        let name = Self.name(digest, prepared: prepared)
        if known.contains(name) { return name }
        guard !missed.contains(name) else { return nil }
        let isShared = users.isShared(name, by: spec.id)
        do throws(RunnerError) {
            try await flights.run(name) { () async throws(RunnerError) in
                do throws(DockerError) {
                    if try await engine.hasImage(name) {
                        known.insert(name)
                    } else if isShared {
                        try await make(name, archive, digest, prepared: prepared)
                        known.insert(name)
                    }
                } catch {
                    throw error.runnerError(.image, "making an image with code")
                }
            }
        } catch {
            guard error.code != .cancelled else { throw error }
            missed.insert(name)
            logger.info("no image with code, sending it instead", metadata: ["error": "\(error)"])
        }
        return known.contains(name) ? name : nil
    }

    /// Called when the engine turns out not to have it any more.
    func forget(_ name: String) { known.remove(name) }

    /// The name of an image: it says what it holds.
    private static func name(_ digest: String, prepared: String) -> String {
        let content = SHA256.hash(data: Array("\(prepared)\0\(digest)".utf8)).hexText
        return "the0-runtime/code:\(content.prefix(40))"
    }

    private func make(
        _ name: String,
        _ archive: CodeArchive,
        _ digest: String,
        prepared: String
    ) async throws(DockerError) {
        var create = EngineCall(method: .post, path: "/containers/create", deadlines: EngineCall.work)
        create.setBody([
            "Image": .string(prepared),
            "Entrypoint": ["/bin/sh"],
            "Cmd": [],
            "Labels": [Label.preparing: "true", Label.instance: .string(instance)],
            "HostConfig": ["NetworkMode": "none"],
        ])
        let container = try await engine.send(create).createdID()
        do throws(DockerError) {
            try await engine.sendCode(archive, to: container)
            let labels: JSONValue = [
                // The container's labels come along unless they are given here, and so do the prepared image's.
                Label.preparing: "false", Label.instance: "", Label.preparedCode: .string(digest),
            ]
            try await engine.commit(container, as: name, labels: labels)
        } catch {
            await engine.discardContainer(container, logger)
            throw error
        }
        await engine.discardContainer(container, logger)
        logger.info("made an image with code", metadata: ["code": "\(digest.prefix(12))", "as": "\(name)"])
    }
}

/// Which bots have used an image's code.
private final class CodeUsers: Sendable {
    /// More codes than are remembered at a time; forgetting one means that its code is sent once more.
    private static let most = 10_000

    private let first = Mutex<[String: BotID]>([:])

    /// Notes that a bot uses an image's code; tells whether another one has.
    func isShared(_ name: String, by id: BotID) -> Bool {
        first.withLock { first in
            guard let other = first[name] else {
                if first.count >= Self.most { first.removeAll() }
                first[name] = id
                return false
            }
            return other != id
        }
    }
}

extension Engine {
    /// Whether there is an image of this name.
    func hasImage(_ name: String) async throws(DockerError) -> Bool {
        let answer = try await send(EngineCall(method: .get, path: "/images" + EngineCall.imagePath(name) + "/json"))
        if answer.status == 404 { return false }
        try answer.expect(200)
        return true
    }

    /// Makes an image of a container that doesn't run.
    func commit(_ container: String, as name: String, labels: JSONValue) async throws(DockerError) {
        let reference = ImageReference(name)
        var commit = EngineCall(method: .post, path: "/commit", deadlines: EngineCall.work)
        commit.query = [("container", container), ("repo", reference.name), ("tag", reference.tag), ("pause", "false")]
        commit.setBody(["Labels": labels])
        try await send(commit).expect(201)
    }

    /// Unpacks a program's code into `/bot` of a container.
    func sendCode(_ archive: CodeArchive, to container: String) async throws(DockerError) {
        var call = EngineCall(method: .put, path: EngineCall.path("containers", container, "archive"))
        call.query = [("path", "/bot")]
        call.body = .stream(length: archive.size, FilePieces(path: archive.path))
        call.contentType = "application/x-tar"
        // A large archive over a slow line takes what it takes; silence doesn't.
        call.deadlines = HTTPDeadlines(connect: .seconds(10), idle: .seconds(120), total: nil)
        try await send(call).expect(200)
    }
}
