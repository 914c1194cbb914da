import ArgumentParser

/// `runtime`: keeps trading bots running.
struct RuntimeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runtime",
        abstract: "Keeps trading bots running.",
        discussion: """
            Settings are taken from flags, then the environment, then the file of --config, then defaults.

            Exit codes: 0 done, 64 a flag that can't be read, 65 fetched data that can't be used, 69 something needed doesn't answer or can't be had, 70 a stop \
            took too long, 78 a setting that can't be used, 130 or 143 ended at once by a second SIGINT or SIGTERM.
            """,
        version: RuntimeVersion.current,
        subcommands: [
            BotRunnerCommand.self, BotSchedulerCommand.self, SchedulesCommand.self, RunsCommand.self, LogsCommand.self,
            PlanCommand.self, UnpackCommand.self, HealthCommand.self, VersionCommand.self,
        ]
    )
}
