import HTTP
import Model
import Runtime

/// Finds out which engine it is that answers.
///
/// Docker has an id of its own, made at its first start and kept with its data. Machines that were cloned with it have the same,
/// until somebody gives them their own. Podman makes up another for each answer (seen with 4.3, still so in 5): there, and where an
/// engine has none, a volume with a random label marks the engine. It is as lasting as what the engine keeps, and made once
/// however many ask, since the engine has only one of a name. Removing it (a `prune` may) makes another platform of the engine.
struct EngineIdentity: Sendable {
    let engine: Engine
    let names: ObjectNames

    /// Asked of the engine each time: another may answer at the same socket by now.
    func id() async throws(DockerError) -> String {
        let call = EngineCall(method: .get, path: "/info")
        let response = try await engine.open(call)
        let body: [UInt8]
        do { body = try await response.body.collect(upTo: call.limit) } catch { throw DockerError(error) }
        let info = try EngineAnswer(call: call, status: response.status, body: body).object()
        // By this answer's own word: what was agreed upon with an engine may have been with the one before.
        guard response.headers.first("Libpod-API-Version") == nil, let id = info["ID"]?.string, !id.isEmpty else {
            return try await mark()
        }
        return id
    }

    /// The mark that the engine has, or is given.
    private func mark() async throws(DockerError) -> String {
        if let mark = try await standingMark() { return mark }
        var call = EngineCall(method: .post, path: "/volumes/create", deadlines: EngineCall.work)
        let random =
            String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
        call.setBody([
            "Name": .string(names.mark), "Driver": "local",
            "Labels": [Label.platform: .string(random), Label.instance: .string(names.instance)],
        ])
        let answer = try await engine.send(call)
        // Whatever was answered: of two that ask at once one may get a 500 from Podman 4.3, and only one's label stays.
        if let mark = try await standingMark() { return mark }
        try answer.expect(201)
        throw answer.nonsense("it has made the volume \(names.mark) and doesn't have it")
    }

    private func standingMark() async throws(DockerError) -> String? {
        let answer = try await engine.send(EngineCall(method: .get, path: EngineCall.path("volumes", names.mark)))
        if answer.status == 404 { return nil }
        let labels = try answer.object()["Labels"]?.object
        guard let mark = labels?[Label.platform]?.string, !mark.isEmpty else {
            throw answer.nonsense("the volume \(names.mark) has no label \(Label.platform): it isn't ours")
        }
        return mark
    }
}
