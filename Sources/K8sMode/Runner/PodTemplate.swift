import Entrypoints
import Model
import Runtime

/// Turns a launch specification into a Pod's spec and the Secret that belongs to it, whatever makes the Pod: we, or a Job.
///
/// It keeps to Pod Security's "restricted" profile as long as the sandbox does. Nothing that belongs to the bot alone is in the
/// spec: its parameters, the start scripts and the code's link come from the Secret, the link only into the init container.
struct PodTemplate: Sendable {
    let spec: LaunchSpec
    let settings: K8sSettings

    /// Where things are, in a Pod.
    enum Path {
        static let code = "/bot"
        static let state = "/state"
        static let temporary = "/tmp"
        static let scripts = EntrypointKind.defaultDirectory
        static let link = "/run/the0"
    }

    /// The names of the bot's container and of the one before it.
    enum Container {
        static let bot = "bot"
        static let unpack = "code"
    }

    /// The entries of the Secret beside the start scripts, whose entries have the names of their files.
    enum Entry {
        static let config = "config"
        static let link = "code.json"
    }

    private enum Volume {
        static let code = "code"
        static let state = "state"
        static let temporary = "tmp"
        static let scripts = "scripts"
        static let link = "link"
    }

    /// The variables whose value is the bot's parameters.
    private static let configVariables = ["BOT_CONFIG", "CONFIG"]

    /// A template.
    /// - Throws: `RunnerError` with code `refused` for a sandbox that Kubernetes can't give.
    init(_ spec: LaunchSpec, settings: K8sSettings) throws(RunnerError) {
        if case .named(let name) = spec.sandbox.network {
            throw RunnerError(
                .refused,
                "network \(name.escapedForMessage): Pods have no named networks; allowed are isolated and host"
            )
        }
        self.spec = spec
        self.settings = settings
    }

    /// What the Secret holds.
    func secretEntries(link: CodeLink) -> [String: [UInt8]] {
        var entries: [String: [UInt8]] = [
            Entry.config: Array(JSONValue.object(spec.executable.config).text.utf8), Entry.link: Array(link.json.utf8),
        ]
        for file in spec.runtime.entrypoint.files { entries[file.name] = Array(file.contents.utf8) }
        return entries
    }

    /// The Pod's spec.
    /// - Parameters:
    ///   - secret: the name of its Secret; the kubelet waits until there is one.
    ///   - claim: the name of the claim for `/state`; nil: it is gone with the Pod.
    ///   - restartPolicy: `Always` for what is to run for ever, `Never` for what runs once.
    func podSpec(secret: String, claim: String?, restartPolicy: String = "Always") -> JSONObject {
        let user = spec.sandbox.user
        var pod: JSONObject = [
            "restartPolicy": .string(restartPolicy),
            "serviceAccountName": .string(settings.serviceAccount),
            "automountServiceAccountToken": false,
            // Variables for every service of the namespace are none of a bot's business.
            "enableServiceLinks": false,
            // The Pod's own process reaps zombies, and a bot that isn't process 1 ends at signals it doesn't handle.
            "shareProcessNamespace": true,
            "terminationGracePeriodSeconds": .integer(Int64(settings.stopGraceSeconds)),
            "securityContext": [
                "runAsNonRoot": .bool(user.user != 0), "runAsUser": .integer(Int64(user.user)),
                "runAsGroup": .integer(Int64(user.group)),
                // Volumes belong to this group, so that the bot may write there.
                "fsGroup": .integer(Int64(user.group)), "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": ["type": "RuntimeDefault"],
            ],
            "volumes": .array(volumes(secret: secret, claim: claim)),
            "initContainers": [unpackContainer],
            "containers": [botContainer(secret: secret)],
        ]
        if spec.sandbox.network == .host {
            pod["hostNetwork"] = true
            pod["dnsPolicy"] = "ClusterFirstWithHostNet"
        }
        if !settings.imagePullSecrets.isEmpty {
            pod["imagePullSecrets"] = .array(settings.imagePullSecrets.map { ["name": .string($0)] })
        }
        if !settings.nodeSelector.isEmpty { pod["nodeSelector"] = JSONValue(strings: settings.nodeSelector) }
        return pod
    }

    private func volumes(secret: String, claim: String?) -> [JSONValue] {
        let files = spec.runtime.entrypoint.files.map(\.name)
        let most = JSONValue.string(String(settings.codeSize.roundedUp))
        // In memory, counted towards the bot's limit, as the sandbox has it.
        let memory: JSONValue = ["medium": "Memory", "sizeLimit": .string(String(spec.sandbox.temporarySize))]
        var state: JSONObject = ["name": .string(Volume.state)]
        if let claim {
            state["persistentVolumeClaim"] = ["claimName": .string(claim)]
        } else {
            state["emptyDir"] = ["sizeLimit": most]
        }
        return [
            ["name": .string(Volume.code), "emptyDir": ["sizeLimit": most]],
            ["name": .string(Volume.temporary), "emptyDir": memory],
            .object(state),
            secretVolume(Volume.scripts, secret, items: files),
            secretVolume(Volume.link, secret, items: [Entry.link]),
        ]
    }

    private func secretVolume(_ name: String, _ secret: String, items: [String]) -> JSONValue {
        [
            "name": .string(name),
            "secret": [
                "secretName": .string(secret), "defaultMode": 0o440,
                "items": .array(items.map { ["key": .string($0), "path": .string($0)] }),
            ],
        ]
    }

    /// Brings the code to `/bot`. It alone sees the link.
    private var unpackContainer: JSONValue {
        [
            "name": .string(Container.unpack), "image": .string(settings.runtimeImage),
            "imagePullPolicy": "IfNotPresent",
            "command": .array(settings.unpackCommand.map { .string(Self.literally($0)) }),
            "workingDir": "/",
            "resources": Self.resources(settings.unpackResources),
            // The last line it writes is what there is to know of a failure.
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": securityContext(readOnlyRoot: true),
            "volumeMounts": [
                ["name": .string(Volume.code), "mountPath": .string(Path.code)],
                ["name": .string(Volume.state), "mountPath": .string(Path.state)],
                ["name": .string(Volume.temporary), "mountPath": .string(Path.temporary)],
                ["name": .string(Volume.link), "mountPath": .string(Path.link), "readOnly": true],
            ],
        ]
    }

    private func botContainer(secret: String) -> JSONValue {
        [
            "name": .string(Container.bot), "image": .string(spec.runtime.image),
            "imagePullPolicy": "IfNotPresent",
            "command": .array(spec.runtime.entrypoint.command(directory: Path.scripts).map { .string($0) }),
            "workingDir": .string(Path.code),
            "env": .array(environment(secret: secret)),
            "resources": Self.resources(spec.resources),
            "securityContext": securityContext(readOnlyRoot: spec.sandbox.readOnlyRoot),
            "volumeMounts": [
                ["name": .string(Volume.code), "mountPath": .string(Path.code)],
                ["name": .string(Volume.state), "mountPath": .string(Path.state)],
                ["name": .string(Volume.temporary), "mountPath": .string(Path.temporary)],
                ["name": .string(Volume.scripts), "mountPath": .string(Path.scripts), "readOnly": true],
            ],
        ]
    }

    private func environment(secret: String) -> [JSONValue] {
        spec.environment.sorted { $0.key < $1.key }.map { name, value in
            guard !Self.configVariables.contains(name) else {
                return [
                    "name": .string(name),
                    "valueFrom": ["secretKeyRef": ["name": .string(secret), "key": .string(Entry.config)]],
                ]
            }
            return ["name": .string(name), "value": .string(Self.literally(value))]
        }
    }

    private func securityContext(readOnlyRoot: Bool) -> JSONValue {
        let sandbox = spec.sandbox
        var context: JSONObject = [
            "readOnlyRootFilesystem": .bool(readOnlyRoot),
            "allowPrivilegeEscalation": .bool(!sandbox.noNewPrivileges),
        ]
        if sandbox.dropCapabilities { context["capabilities"] = ["drop": ["ALL"]] }
        return .object(context)
    }

    private static func resources(_ resources: Runtime.Resources) -> JSONValue {
        [
            "limits": [
                "memory": .string(String(resources.memoryLimit)), "cpu": .string("\(resources.cpuLimit)m"),
            ],
            "requests": [
                "memory": .string(String(resources.memoryRequest)), "cpu": .string("\(resources.cpuRequest)m"),
            ],
        ]
    }

    /// A text that the kubelet gives as it is: it puts variables in place of `$(NAME)`, and `$$` stands for one `$`.
    private static func literally(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        return text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
    }
}
