import HTTP
import Logging
import Model
import Runtime
import Util

/// Makes the one container of a program, under the name that belongs to it.
struct ContainerPlace: Sendable {
    let engine: Engine
    let finalReading: FinalReading
    let logger: Logger

    /// How old a container that was made and not started has to be before it counts as left over: until then another runner
    /// may be about to start it. After a process was killed between the two its bot is down for this long.
    ///
    /// An engine with 32 other starts at hand takes 7 s; the code may come over a line of 8 Mbit/s.
    static func leftoverAge(codeSize: Int64) -> Duration { .seconds(15 + (codeSize >> 20)) }

    /// The same for a run of this kind.
    ///
    /// A live bot that is removed at the instant at which it starts is started again; a slot may not be. So who makes the
    /// container of a slot doesn't ask for its start any more some time before others may remove it.
    static func leftoverAge(codeSize: Int64, of kind: ExecutableKind) -> Duration {
        kind == .scheduled ? startLimit(codeSize: codeSize) + .seconds(15) : leftoverAge(codeSize: codeSize)
    }

    /// How long after the making of a slot's container was begun its start may be asked for.
    static func startLimit(codeSize: Int64) -> Duration { leftoverAge(codeSize: codeSize) + .seconds(15) }

    /// Makes the container.
    /// - Parameter codeSize: how many bytes of code are sent between making it and starting it.
    /// - Returns: its id; nil when a live bot runs already, from the same specification.
    /// - Throws: ``DockerError``, with code `conflict` when something else stands under the name.
    func create(_ request: ContainerRequest, name: String, codeSize: Int64) async throws(DockerError) -> String? {
        try await makeSureOfState(request)
        if let id = try await attempt(request, name) { return id }
        guard try await clear(name, for: request.spec, codeSize) else { return nil }
        if let id = try await attempt(request, name) { return id }
        throw DockerError(.conflict, "its name is taken again by a container that appeared just now")
    }

    /// Makes the volume for the bot's state; one that is there stays as it is.
    private func makeSureOfState(_ request: ContainerRequest) async throws(DockerError) {
        var call = EngineCall(method: .post, path: "/volumes/create", deadlines: EngineCall.work)
        call.setBody(request.stateVolume)
        let answer = try await engine.send(call)
        if answer.status >= 500 {
            // Podman 4.3 says 500 when two ask at once.
            let path = EngineCall.path("volumes", request.stateName)
            if try await engine.send(EngineCall(method: .get, path: path)).status == 200 { return }
        }
        try answer.expect(201)
    }

    /// Asks for the container; nil when its name is taken.
    ///
    /// The answer is waited for although the task may be cancelled meanwhile: without it nobody knew what to remove.
    private func attempt(_ request: ContainerRequest, _ name: String) async throws(DockerError) -> String? {
        var call = EngineCall(
            method: .post,
            path: "/containers/create",
            query: [("name", name)],
            deadlines: EngineCall.work
        )
        call.setBody(request.json)
        let answer = try await engine.sendShielded(call, grace: .seconds(5))
        if answer.status == 409 { return nil }
        // Podman 4.3 says 500 to a name that is taken.
        if answer.status >= 500, try await appears(name) { return nil }
        let id = try answer.createdID()
        if Task.isCancelled {
            await engine.discardContainer(id, logger)
            throw DockerError(.cancelled, "cancelled")
        }
        return id
    }

    /// Whether something stands under the name. Podman takes the name some time before it shows the container.
    private func appears(_ name: String) async throws(DockerError) -> Bool {
        var pause = Duration.milliseconds(20)
        while try await engine.details(of: name) == nil {
            guard try await engine.isPodman(), pause < .seconds(2) else { return false }
            do { try await Task.sleep(for: pause) } catch { throw DockerError(.cancelled, "cancelled", cause: error) }
            pause *= 2
        }
        return true
    }

    /// Looks at what stands under the name, and removes what is left over from before.
    ///
    /// Of a slot only what was never started is removed: one that was may be run once more only when somebody who knows how it
    /// ended has removed it.
    /// - Returns: whether the name is free now; false when the live bot runs there, from this specification.
    private func clear(_ name: String, for spec: LaunchSpec, _ codeSize: Int64) async throws(DockerError) -> Bool {
        guard let standing = try await engine.details(of: name) else { return true }
        guard standing.labels[Label.managed] == "true" else {
            throw DockerError(.conflict, "its name belongs to container \(standing.id), which is no bot's")
        }
        let runsOnce = spec.executable.kind == .scheduled
        switch ContainerState(standing.status) {
        case .active where runsOnce:
            throw DockerError(.conflict, "container \(standing.id) runs there: its slot was started before")
        case .ended where runsOnce:
            throw DockerError(
                .conflict,
                "container \(standing.id) has ended there: its slot was started before, and isn't again until that is removed"
            )
        case .active:
            if standing.labels[Label.hash] == spec.hash { return false }
            throw DockerError(.conflict, "container \(standing.id) runs there from another specification")
        case .leaving:
            throw DockerError(.conflict, "container \(standing.id) is still being removed")
        case .created:
            let age = try await engine.clock().duration(since: standing.createdAt)
            guard age >= ContainerPlace.leftoverAge(codeSize: codeSize, of: spec.executable.kind) else {
                throw DockerError(.conflict, "container \(standing.id) was made there just now and isn't started yet")
            }
        case .ended:
            await finalReading.read(standing.endedRun(of: spec))
        }
        logger.info(
            "removing what is left of an earlier start",
            metadata: ["container": "\(name)", "state": "\(standing.status)"]
        )
        // Without force: it may have been started in this moment.
        do throws(DockerError) { try await engine.deleteContainer(standing.id, force: false) } catch {
            // Podman 4.3 says 500 of one that runs.
            guard error.code == .failed, try await engine.details(of: standing.id)?.isRunning == true else {
                throw error
            }
            throw DockerError(.conflict, "container \(standing.id) was started there just now", cause: error)
        }
        return true
    }
}

extension ContainerDetails {
    /// An ended container that stands under the name of a program, as its run.
    fileprivate func endedRun(of spec: LaunchSpec) -> ObservedRun {
        ObservedRun(
            reference: id,
            id: spec.id,
            kind: spec.executable.kind,
            origin: .hash(labels[Label.hash] ?? ""),
            attempt: max(0, labels[Label.attempt].flatMap { Int($0) } ?? 0),
            createdAt: createdAt,
            phase: .exited(exit)
        )
    }
}

extension Engine {
    /// The engine's own time: the clock of the machine that it runs on, which may not be ours.
    func clock() async throws(DockerError) -> Timestamp {
        let answer = try await send(EngineCall(method: .get, path: "/info"))
        guard let text = try answer.object()["SystemTime"]?.string else { throw answer.nonsense("no SystemTime") }
        do { return try RFC3339.parse(text) } catch { throw answer.nonsense(error.message) }
    }
}
