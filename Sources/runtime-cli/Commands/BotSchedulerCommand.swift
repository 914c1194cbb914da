import ArgumentParser

/// `runtime bot-scheduler`: runs bots on their schedules.
struct BotSchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bot-scheduler",
        abstract: "Runs bots on their cron schedules, every slot once, on time.",
        discussion: """
            Reads the schedules from MongoDB or a directory, starts a bot when its slot comes, stores what it leaves in \
            /bot/result.json, and records what became of it. Any number of schedulers may share a database. Runs go on when it \
            stops; the next scheduler finds them and records their ends.

            Examples:
              runtime bot-scheduler --store ./bots
              MONGO_URI=mongodb://db:27017 NATS_URL=nats://bus:4222 MINIO_ENDPOINT=minio:9000 \\
                MINIO_ACCESS_KEY=… MINIO_SECRET_KEY_FILE=/run/secrets/minio runtime bot-scheduler

            Credentials of the object store come from the environment or a file (MINIO_ACCESS_KEY, MINIO_SECRET_KEY, \
            MINIO_SECRET_KEY_FILE), never from a flag.
            """
    )

    @OptionGroup var options: RunnerOptions

    @Option(
        help: ArgumentHelp("How often everything is checked although nothing happened (10s).", valueName: "duration")
    )
    var checkInterval: String?

    @Option(help: ArgumentHelp("Where /healthz, /readyz and /metrics are served (:8080).", valueName: "address"))
    var listen: String?

    @Flag(help: "Stop the runs too when the scheduler is stopped.")
    var stopRunsOnExit = false

    /// The settings that were given on the command line, by flag.
    var given: [String: String] {
        var flags = options.given
        flags[SettingKey.checkInterval.name] = checkInterval
        flags[SettingKey.listen.name] = listen
        return flags
    }

    func run() async throws {
        let settings = try RunnerSettings.load(flags: given, config: options.place.config)
        try await SchedulerAssembly(settings).serve(stopRunsOnExit: stopRunsOnExit)
    }
}
