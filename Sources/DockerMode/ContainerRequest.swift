import Entrypoints
import Model
import Runtime

/// Turns a launch specification into what `POST /containers/create` takes.
///
/// Everything but `/bot`, `/state` and `/tmp` is read-only. `/bot` is an anonymous volume, which goes with the container;
/// `/state` a named one, which outlives it. Both take owner and mode from the prepared image: a volume on a path that the image
/// doesn't have belongs to root, and no bot could write there.
struct ContainerRequest: Sendable {
    let spec: LaunchSpec
    let attempt: Int
    let names: ObjectNames
    let settings: DockerSettings
    /// The prepared image to run in.
    let image: String
    /// An image that has the bot's code in it, to run in instead.
    var filledImage: String?
    /// The network's id or name, as `NetworkMode` takes it.
    let network: String

    /// The start scripts' folder in a prepared image.
    static let scripts = "/the0"

    var json: JSONValue {
        let labels = spec.labels(instance: names.instance, attempt: attempt)
        return [
            "Image": .string(filledImage ?? image),
            // The image's own entrypoint would come before a command, and would be one of root's programs.
            "Entrypoint": .array(
                spec.runtime.entrypoint.command(directory: ContainerRequest.scripts).map { .string($0) }
            ),
            "Cmd": [],
            "User": .string(spec.sandbox.user.description),
            "WorkingDir": "/bot",
            "Env": .array(spec.environment.sorted { $0.key < $1.key }.map { .string("\($0.key)=\($0.value)") }),
            "Labels": .object(JSONObject(strings: labels)),
            "Volumes": ["/bot": [:]],
            "StopSignal": "SIGTERM",
            "StopTimeout": .integer(settings.stopGraceSeconds),
            "HostConfig": host,
        ]
    }

    private var host: JSONValue {
        let sandbox = spec.sandbox
        let resources = spec.resources
        var host: JSONObject = [
            // Reaps zombies and hands on signals, which PID 1 ignores by default.
            "Init": true,
            "RestartPolicy": ["Name": "no"],
            "ReadonlyRootfs": .bool(sandbox.readOnlyRoot),
            "Tmpfs": ["/tmp": .string("size=\(sandbox.temporarySize),mode=1777")],
            "Mounts": [state],
            "PidsLimit": .integer(sandbox.processLimit),
            "Memory": .integer(resources.memoryLimit),
            // The same as Memory: no swap.
            "MemorySwap": .integer(resources.memoryLimit),
            "MemoryReservation": .integer(resources.memoryRequest),
            "NanoCpus": .integer(resources.cpuLimit * 1_000_000),
            // Kubernetes' scale: 1024 to the core, at least 2.
            "CpuShares": .integer(settings.cpuShares ?? max(2, resources.cpuRequest * 1024 / 1000)),
            "NetworkMode": .string(network),
            "LogConfig": [
                "Type": "json-file",
                "Config": [
                    "max-size": .string(settings.logFileSize),
                    "max-file": .string(String(settings.logFileCount)),
                ],
            ],
        ]
        if sandbox.dropCapabilities { host["CapDrop"] = ["ALL"] }
        if sandbox.noNewPrivileges { host["SecurityOpt"] = ["no-new-privileges"] }
        return .object(host)
    }

    /// The name of the state volume.
    var stateName: String { names.state(kind: spec.executable.kind, id: spec.id) }

    /// What `POST /volumes/create` takes to make sure of the state volume. A volume that comes into being with a container gets
    /// no labels from Podman, and nobody could tell later whose it was.
    var stateVolume: JSONValue {
        ["Name": .string(stateName), "Driver": "local", "Labels": .object(stateLabels)]
    }

    private var stateLabels: JSONObject {
        JSONObject(strings: [
            (Label.id, spec.id.text),
            (Label.managed, "true"),
            (Label.kind, spec.executable.kind.rawValue),
            (Label.instance, names.instance),
        ])
    }

    /// The labels once more: between the making of the volume and that of the container a full pass that doesn't know the bot
    /// yet, or not again, may remove the volume; then it comes into being with the container.
    private var state: JSONValue {
        [
            "Type": "volume", "Source": .string(stateName), "Target": "/state",
            "VolumeOptions": ["Labels": .object(stateLabels)],
        ]
    }
}
