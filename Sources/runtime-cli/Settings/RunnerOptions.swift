import ArgumentParser

/// The flags of every command that serves bots, live or scheduled.
///
/// Each is text here: what it means, and what is allowed, is the business of ``RunnerSettings``, which reads the environment
/// and the settings file by the same rules.
struct RunnerOptions: ParsableArguments {
    @OptionGroup var place: StoreOptions

    @Option(
        name: .customLong("nats-url"),
        help: ArgumentHelp(
            "NATS, for changes to take effect at once. Without it the store is polled.",
            valueName: "url"
        )
    )
    var natsURL: String?

    @Option(help: ArgumentHelp("Tells runners on one engine apart (default).", valueName: "name"))
    var instance: String?

    @Option(
        help: ArgumentHelp(
            "What bots run as: docker (containers), local (processes of this machine, not isolated), or auto (docker).",
            valueName: "backend"
        )
    )
    var backend: String?

    @Option(
        help: ArgumentHelp("What local bots are shut in with: none or bubblewrap (none).", valueName: "sandbox")
    )
    var localSandbox: String?

    @Option(
        help: ArgumentHelp(
            "The container engine: unix:///path, tcp://host:port or https://host:port.",
            valueName: "url"
        )
    )
    var dockerHost: String?

    @Option(
        help: ArgumentHelp(
            "How bots reach the network: isolated, host, or a network's name (isolated).",
            valueName: "network"
        )
    )
    var network: String?

    @Option(help: ArgumentHelp("When images are pulled: missing, always or never (missing).", valueName: "policy"))
    var pull: String?

    @Option(
        help: ArgumentHelp(
            "Another image for a runtime, as python3.11=mirror/python:3.11-slim. Repeatable.",
            valueName: "runtime=image"
        )
    )
    var image: [String] = []

    @Option(help: ArgumentHelp("Memory of a bot that asks for none (512Mi).", valueName: "quantity"))
    var memoryLimit: String?

    @Option(help: ArgumentHelp("CPU of a bot that asks for none (500m).", valueName: "quantity"))
    var cpuLimit: String?

    @Option(help: ArgumentHelp("How many bots are started at the same time (two per core).", valueName: "count"))
    var parallelStarts: String?

    @Option(help: ArgumentHelp("How long a bot has to end after SIGTERM (30s).", valueName: "duration"))
    var stopGrace: String?

    @Option(
        help: ArgumentHelp(
            "Where code archives are kept (TEMP_DIR, else ~/.cache/the0-runtime).",
            valueName: "directory"
        )
    )
    var cacheDirectory: String?

    @Option(help: ArgumentHelp("Most disk space for code archives (5Gi).", valueName: "quantity"))
    var cacheSize: String?

    @Option(
        help: ArgumentHelp(
            "A directory instead of an object store, a folder in it for each bucket.",
            valueName: "directory"
        )
    )
    var objects: String?

    @Option(help: ArgumentHelp("User and group that bots run as (65532:65532).", valueName: "uid:gid"))
    var user: String?

    @Option(help: ArgumentHelp("Most processes and threads of a bot (256).", valueName: "count"))
    var processLimit: String?

    @Option(help: ArgumentHelp("Size of a bot's /tmp, which lies in memory (64Mi).", valueName: "quantity"))
    var tmpSize: String?

    @Option(help: ArgumentHelp("Whether only /bot, /tmp and /state are writable (true).", valueName: "bool"))
    var readOnlyRoot: String?

    @Option(help: ArgumentHelp("Whether bots lose all capabilities (true).", valueName: "bool"))
    var dropCapabilities: String?

    @Option(help: ArgumentHelp("Whether bots may not gain privileges (true).", valueName: "bool"))
    var noNewPrivileges: String?

    @Option(help: ArgumentHelp("Size at which the engine rotates a bot's log file (10Mi).", valueName: "quantity"))
    var engineLogSize: String?

    @Option(help: ArgumentHelp("How many log files the engine keeps of a bot (3).", valueName: "count"))
    var engineLogFiles: String?

    @Option(help: ArgumentHelp("Whether bots' output is collected and stored (true).", valueName: "bool"))
    var collectLogs: String?

    @Option(help: ArgumentHelp("Most disk space for output that isn't stored yet (1Gi).", valueName: "quantity"))
    var logSpoolSize: String?

    @Option(
        help: ArgumentHelp(
            "Whether values of a bot's config that look like credentials are masked in its output (false).",
            valueName: "bool"
        )
    )
    var maskLogs: String?

    /// What was given on the command line, by flag.
    var given: [String: String] {
        var flags = place.given
        func add(_ key: SettingKey, _ value: String?) {
            if let value { flags[key.name] = value }
        }
        add(.natsURL, natsURL)
        add(.instance, instance)
        add(.backend, backend)
        add(.localSandbox, localSandbox)
        add(.dockerHost, dockerHost)
        add(.network, network)
        add(.pull, pull)
        add(.image, image.isEmpty ? nil : image.joined(separator: ","))
        add(.memoryLimit, memoryLimit)
        add(.cpuLimit, cpuLimit)
        add(.parallelStarts, parallelStarts)
        add(.stopGrace, stopGrace)
        add(.cacheDirectory, cacheDirectory)
        add(.cacheSize, cacheSize)
        add(.objects, objects)
        add(.user, user)
        add(.processLimit, processLimit)
        add(.tmpSize, tmpSize)
        add(.readOnlyRoot, readOnlyRoot)
        add(.dropCapabilities, dropCapabilities)
        add(.noNewPrivileges, noNewPrivileges)
        add(.engineLogSize, engineLogSize)
        add(.engineLogFiles, engineLogFiles)
        add(.collectLogs, collectLogs)
        add(.logSpoolSize, logSpoolSize)
        add(.maskLogs, maskLogs)
        return flags
    }
}
