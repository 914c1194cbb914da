import ArgumentParser

/// The flags of every command that serves live bots, or tells what would become of them.
struct LiveOptions: ParsableArguments {
    @OptionGroup var common: RunnerOptions

    @Option(
        help: ArgumentHelp("How often everything is checked although nothing happened (30s).", valueName: "duration")
    )
    var reconcileInterval: String?

    @Option(
        help: ArgumentHelp(
            "Delay before a bot that ended is started again; doubles each time (1s).",
            valueName: "duration"
        )
    )
    var restartInitial: String?

    @Option(help: ArgumentHelp("Longest delay before a bot is started again (5m).", valueName: "duration"))
    var restartMaximum: String?

    @Option(help: ArgumentHelp("How long a bot must run for the delays to begin anew (10m).", valueName: "duration"))
    var restartResetAfter: String?

    /// The settings file, if one was given.
    var config: String? { common.place.config }

    /// What was given on the command line, by flag.
    var given: [String: String] {
        var flags = common.given
        flags[SettingKey.reconcileInterval.name] = reconcileInterval
        flags[SettingKey.restartInitial.name] = restartInitial
        flags[SettingKey.restartMaximum.name] = restartMaximum
        flags[SettingKey.restartResetAfter.name] = restartResetAfter
        return flags
    }
}
