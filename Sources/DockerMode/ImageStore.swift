import HTTP
import Logging
import Model
import Runtime

/// The images that bots' images are made from: looked up, and pulled when they are missing.
struct ImageStore: Sendable {
    let engine: Engine
    let policy: DockerSettings.PullPolicy
    let pulls: SingleFlight<String, Void>
    let logger: Logger
    /// How long the engine may take to say the first word of a pull, which it does when the registry has given it the image's
    /// manifest. It would itself wait for ever for a registry that accepts the connection and keeps silent.
    var patience: Duration = .seconds(30)
    var logins = RegistryLogins(folder: nil)

    /// The id of an image, which is pulled first where the policy says so.
    func id(of image: String) async throws(RunnerError) -> String {
        switch policy {
        case .missing:
            if let id = try await localID(image) { return id }
            try await pull(image)
        case .never:
            break
        case .always:
            do { try await pull(image) } catch {
                // Whatever it is, a registry's trouble is none of a bot whose image is here.
                guard error.code != .cancelled, let id = try await localID(image) else { throw error }
                logger.warning(
                    "image can't be pulled, using the one the engine has",
                    metadata: ["image": "\(image)", "error": "\(error)"]
                )
                return id
            }
        }
        guard let id = try await localID(image) else {
            let why = policy == .never ? "the pull policy is never" : "it is missing although it was pulled just now"
            throw RunnerError(.image, "image \(image): the engine doesn't have it, and \(why)")
        }
        return id
    }

    private func localID(_ image: String) async throws(RunnerError) -> String? {
        do throws(DockerError) { return try await find(image) } catch {
            throw error.runnerError(.image, "looking for image \(image)")
        }
    }

    /// The id of an image, nil when the engine doesn't have it.
    func find(_ image: String) async throws(DockerError) -> String? {
        let answer = try await engine.send(
            EngineCall(method: .get, path: "/images" + EngineCall.imagePath(image) + "/json")
        )
        if answer.status == 404 { return nil }
        guard let id = try answer.object()["Id"]?.string, !id.isEmpty else {
            throw answer.nonsense("an image without Id")
        }
        return id
    }

    private func pull(_ image: String) async throws(RunnerError) {
        try await pulls.run(image) { () async throws(RunnerError) in
            // Whoever waited while it was pulled for another need not pull again.
            if policy == .missing, try await localID(image) != nil { return }
            let (login, trouble) = try await login(image)
            do throws(DockerError) { try await download(image, login) } catch {
                throw error.runnerError(.image, "pulling image \(image)\(trouble)")
            }
        }
    }

    /// The login for an image's registry, and what to add to the message of a pull that fails.
    ///
    /// That credentials can't be read is no reason not to try: most images need none.
    private func login(_ image: String) async throws(RunnerError) -> (header: HTTPHeader?, trouble: String) {
        let registry = ImageReference(image).registry
        do throws(DockerError) {
            guard let login = try await logins.login(at: registry) else { return (nil, "") }
            let header = HTTPHeader(name: "X-Registry-Auth", value: login.header(server: registry))
            return (header, " with the credentials that this machine has for \(registry)")
        } catch {
            guard error.code != .cancelled else { throw error.runnerError(.image, "pulling image \(image)") }
            logger.warning(
                "pulling without credentials",
                metadata: ["image": "\(image)", "error": "\(error)"]
            )
            return (nil, " without credentials (\(error))")
        }
    }

    private func download(_ image: String, _ login: HTTPHeader?) async throws(DockerError) {
        let reference = ImageReference(image)
        var call = EngineCall(method: .post, path: "/images/create")
        call.query = [("fromImage", reference.name)]
        if let login { call.headers.append(login) }
        if !reference.tag.isEmpty { call.query.append(("tag", reference.tag)) }
        // Layers are unpacked without a word.
        call.deadlines = HTTPDeadlines(connect: .seconds(10), idle: .seconds(600), total: nil)
        logger.info("pulling image", metadata: ["image": "\(image)"])
        let response = try await engine.open(call, within: patience)
        guard response.status == 200 else {
            let body: [UInt8]
            do { body = try await response.body.collect(upTo: call.limit) } catch { throw DockerError(error) }
            try EngineAnswer(call: call, status: response.status, body: body).expect(200)
            return
        }
        var progress = PullProgress()
        var lines = LineSplitter(limit: 1 << 20)
        do throws(HTTPError) {
            var pieces = response.body.makeAsyncIterator()
            while let piece = try await pieces.next() {
                for line in lines.add(piece) { report(progress.take(line, at: .now), image) }
            }
        } catch {
            throw DockerError(error)
        }
        if let line = lines.rest { report(progress.take(line, at: .now), image) }
        // The status was sent before the pull began: a failure only stands in the stream.
        if let problem = progress.problem { throw DockerError(.failed, "the engine can't pull it: \(problem)") }
        logger.info("pulled image", metadata: ["image": "\(image)"])
    }

    private func report(_ text: String?, _ image: String) {
        guard let text else { return }
        logger.info("pulling image", metadata: ["image": "\(image)", "progress": "\(text)"])
    }
}

extension Engine {
    /// Sends a request; the answer's head has to come within a time that is shorter than the silence allowed afterwards.
    fileprivate func open(_ call: EngineCall, within patience: Duration) async throws(DockerError) -> HTTPResponse {
        let answer = await withTaskGroup(of: Result<HTTPResponse, DockerError>?.self) { group in
            group.addTask {
                do throws(DockerError) { return .success(try await self.open(call)) } catch { return .failure(error) }
            }
            group.addTask {
                // Ends early where the answer is there, or the whole was cancelled; either way there is nothing left to bound.
                try? await Task.sleep(for: patience)
                return nil
            }
            var answer: Result<HTTPResponse, DockerError>?
            for await result in group {
                answer = answer ?? result
                group.cancelAll()
            }
            return answer
        }
        do throws(DockerError) {
            guard let answer else { throw DockerError(.cancelled, "cancelled") }
            return try answer.get()
        } catch {
            guard error.code == .cancelled, !Task.isCancelled else { throw error }
            throw DockerError(.timedOut, "engine, \(call.method.rawValue) \(call.path): no answer within \(patience)")
        }
    }
}

extension EngineCall {
    /// An image's name as a path: its slashes are path separators to the engine.
    static func imagePath(_ name: String) -> String {
        name.split(separator: "/", omittingEmptySubsequences: false).map { "/" + percentEncoded(String($0)) }.joined()
    }
}
