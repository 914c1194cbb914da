import ArgumentParser
import Control
import Model
import Util

/// `runtime runs`: what became of slots.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "Shows the latest runs of schedules and what became of them.",
        discussion: """
            Examples:
              runtime runs
              runtime runs my-schedule --limit 100 --output json
            """
    )

    @Argument(help: "A schedule's id; without it those of all schedules.")
    var schedule: String?

    @OptionGroup var options: StoreOptions

    @Option(help: ArgumentHelp("How many, the newest first.", valueName: "count"))
    var limit = 20

    @Option(name: .shortAndLong, help: "table for people, json for machines.")
    var output: ReportFormat = .table

    func validate() throws {
        guard (1...100_000).contains(limit) else { throw ValidationError("--limit: expected 1 to 100000") }
    }

    func run() async throws {
        let settings = try RunnerSettings.load(flags: options.given, config: options.config, quiet: true)
        var id: BotID?
        if let schedule {
            do throws(DocumentError) { id = try BotID(validating: schedule) } catch {
                throw CommandExit.failing(ExitCode.validationFailure, error)
            }
        }
        let store = try SchedulingParts.open(settings)
        do throws(StoreError) {
            let runs = try await store.runs.history(of: id, limit: limit)
            if runs.isEmpty, let id, try await store.schedules.schedules([id]).isEmpty {
                let name = id.text.escapedForMessage
                throw StoreError(.refused, "no schedule \(name): neither it nor a run of it is in the store")
            }
            switch output {
            case .table: print(RunReport.table(runs, now: .now))
            case .json: print(RunReport.json(runs).text)
            }
        } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
    }
}
