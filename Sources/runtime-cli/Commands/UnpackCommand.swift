import ArgumentParser
import CodeCache
import Dispatch
import Foundation
import HTTP
import Logging
import ObjectStorage
import Runtime
import UnixSignals
import Util

/// `runtime unpack`: brings a bot's code into its Pod.
struct UnpackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpack",
        abstract: "Fetches a bot's code and unpacks it; runs in the init container of a Pod.",
        discussion: """
            Reads a JSON file with "url" (where the code is, a zip), and perhaps "sha256" (of the zip), "state_url" (where the \
            bot's saved state is, a tar.gz) and "ca" (PEM of the authorities to trust). What lies in the target is replaced. \
            State is restored only into an empty folder; when that fails, the bot is not to be started.

            Exit codes: 0 done, 65 an archive that can't be used, 69 an archive that can't be had (a link that has expired, an \
            object store that doesn't answer), 78 a file or folder that can't be used, 143 ended by SIGTERM. What failed can be \
            run again.

            Example:
              runtime unpack --from /run/the0/code.json --target /bot --state /state
            """
    )

    /// The folder of a Pod that is there for the code alone.
    static let ownTarget = "/bot"

    @Option(help: ArgumentHelp("The file that says what to fetch.", valueName: "file"))
    var from = "/run/the0/code.json"

    @Option(
        help: ArgumentHelp(
            "Where the code goes. Another folder than /bot has to be empty or filled by this command before.",
            valueName: "directory"
        )
    )
    var target = ownTarget

    @Option(help: ArgumentHelp("The folder of the bot's state.", valueName: "directory"))
    var state = "/state"

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical (info).", valueName: "level"))
    var logLevel = "info"

    @Option(help: ArgumentHelp("text or json (text).", valueName: "format"))
    var logFormat = "text"

    func run() async throws {
        do throws(UtilError) {
            bootstrapLogging(try LoggingOptions(level: logLevel, format: logFormat), secrets: Secrets())
        } catch {
            throw CommandExit.failing(CommandExit.configuration, error)
        }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        // Process 1 of a container ends at no signal that it doesn't handle. What is half-done is cleared up by the next run.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await signal in signals { throw ExitCode(signal == .sigint ? 130 : 143) }
            }
            group.addTask { try await unpack() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func unpack() async throws {
        do throws(RunnerError) {
            let order = try UnpackOrder.read(from)
            let executor: BlockingExecutor
            do throws(UtilError) { executor = try BlockingExecutor(name: "unpack", threads: 2) } catch {
                throw RunnerError(.codeUnavailable, error.description)
            }
            let client = HTTPClient(maxConnections: 1)
            defer { client.shutdown() }
            let unpacking = CodeUnpacking(
                reader: ObjectLinkReader(client: client, executor: executor, options: Self.patience),
                executor: executor,
                logger: Logger(label: "unpack")
            )
            try await unpacking.run(order, into: target, ownsTarget: target == Self.ownTarget, state: state)
        } catch {
            let code: ExitCode =
                switch error.code {
                case .codeInvalid: CommandExit.badData
                case .refused: CommandExit.configuration
                default: CommandExit.unavailable
                }
            throw CommandExit.failing(code, error)
        }
    }

    /// A minute of attempts; after that the kubelet starts the container again, with waits of its own.
    private static var patience: S3Options {
        S3Options(
            attempts: 8,
            backoff: try? Backoff(initial: .milliseconds(500), maximum: .seconds(10)),
            patience: .seconds(60),
            deadlines: HTTPDeadlines(connect: .seconds(5), idle: .seconds(15), total: .seconds(600))
        )
    }
}
