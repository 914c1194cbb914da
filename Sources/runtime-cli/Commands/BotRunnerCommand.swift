import ArgumentParser
import Control
import Foundation
import Logging
import ServiceLifecycle
import Util

/// `runtime bot-runner`: keeps live bots running.
struct BotRunnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bot-runner",
        abstract: "Keeps live bots running in containers.",
        discussion: """
            Reads the enabled bots from MongoDB or a directory, lists the containers it owns, and makes them equal: every 30 \
            seconds, and at once when something changes. Bots run on when it stops, and are adopted by the next runner.

            Examples:
              runtime bot-runner --store ./bots
              MONGO_URI=mongodb://db:27017 NATS_URL=nats://bus:4222 MINIO_ENDPOINT=minio:9000 \\
                MINIO_ACCESS_KEY=… MINIO_SECRET_KEY_FILE=/run/secrets/minio runtime bot-runner

            Credentials of the object store come from the environment or a file (MINIO_ACCESS_KEY, MINIO_SECRET_KEY, \
            MINIO_SECRET_KEY_FILE), never from a flag.
            """
    )

    @OptionGroup var options: LiveOptions

    @Option(help: ArgumentHelp("Where /healthz, /readyz and /metrics are served (:8080).", valueName: "address"))
    var listen: String?

    @Flag(help: "Stop the bots too when the runner is stopped.")
    var stopBotsOnExit = false

    @Flag(help: "Make one full pass, wait until it is done, and end.")
    var once = false

    @Flag(help: "Print a table of all bots on standard output whenever one changes.")
    var printStatus = false

    /// The settings that were given on the command line, by flag.
    var given: [String: String] {
        var flags = options.given
        flags[SettingKey.listen.name] = listen
        return flags
    }

    func run() async throws {
        let settings = try RunnerSettings.load(flags: given, config: options.config)
        let assembly = try await RunnerAssembly(settings)
        if once {
            try await assembly.runOnce()
        } else {
            try await assembly.serve(stopBotsOnExit: stopBotsOnExit, printStatus: printStatus)
        }
    }
}
