import Entrypoints
import Model
import Runtime
import Util

/// What a Job's Pod is made from: a Pod that runs once, and hands its result over.
struct ScheduledPod: Sendable {
    let template: PodTemplate
    let ownership: Ownership

    private var spec: LaunchSpec { template.spec }

    /// - Throws: `RunnerError` with code `refused` for a sandbox that Kubernetes can't give.
    init(_ spec: LaunchSpec, settings: K8sSettings, ownership: Ownership) throws(RunnerError) {
        template = try PodTemplate(spec, settings: settings)
        self.ownership = ownership
    }

    /// The Pod's `spec`.
    func podSpec(secret: String, claim: String?) -> JSONObject {
        var pod = template.podSpec(secret: secret, claim: claim, restartPolicy: "Never")
        pod["containers"] = .array((pod["containers"]?.array ?? []).map(startingThroughTheScript))
        pod["volumes"] = .array((pod["volumes"]?.array ?? []).map(holdingTheScript))
        return pod
    }

    /// The bot's container, with the script before what starts the bot.
    private func startingThroughTheScript(_ container: JSONValue) -> JSONValue {
        guard var object = container.object, object["name"]?.string == PodTemplate.Container.bot else {
            return container
        }
        let start = object["command"]?.array ?? []
        object["command"] = .array(["/bin/sh", .string("\(PodTemplate.Path.scripts)/\(ResultScript.name)")] + start)
        // What it wrote in vain isn't its result.
        object["terminationMessagePolicy"] = "File"
        return .object(object)
    }

    /// The volume with the start scripts, with the script beside them.
    private func holdingTheScript(_ volume: JSONValue) -> JSONValue {
        let first = spec.runtime.entrypoint.files.first?.name
        guard var object = volume.object, let items = object[["secret", "items"]]?.array,
            items.contains(where: { $0.object?["key"]?.string == first })
        else { return volume }
        let item: JSONValue = ["key": .string(ResultScript.name), "path": .string(ResultScript.name)]
        object[["secret", "items"]] = .array(items + [item])
        return .object(object)
    }

    /// The Secret that the Pod reads: parameters, scripts and the code's link.
    func secret(named name: String, link: CodeLink) -> Secret {
        var secret = Secret(name: name)
        secret.labels = ownership.labels(of: spec.executable.kind, id: spec.id)
        secret.annotations = link.annotations(for: LinkedProgram(spec.executable), now: .now)
        secret.annotations[K8sAnnotation.id] = spec.id.text
        secret.type = "Opaque"
        for (entry, value) in template.secretEntries(link: link) { secret[entry] = value }
        secret[ResultScript.name] = Array(ResultScript.text.utf8)
        return secret
    }

    /// Labels of Job and Pod.
    var labels: [String: String] { spec.labels(ownership) }
}
