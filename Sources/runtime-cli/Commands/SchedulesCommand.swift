import ArgumentParser
import Control
import Model
import Util

/// `runtime schedules`: what runs when.
struct SchedulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules",
        abstract: "Shows what runs when, and runs it now.",
        subcommands: [SchedulesListCommand.self, SchedulesNextCommand.self, SchedulesRunCommand.self],
        defaultSubcommand: SchedulesListCommand.self
    )
}

/// How a command shows what it was asked for.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case table, json }

/// `runtime schedules list`: all schedules.
struct SchedulesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Shows every schedule with its next slot and what became of the last one."
    )

    @OptionGroup var options: StoreOptions

    @Option(name: .shortAndLong, help: "table for people, json for machines.")
    var output: ReportFormat = .table

    func run() async throws {
        let settings = try RunnerSettings.load(flags: options.given, config: options.config, quiet: true)
        let store = try SchedulingParts.open(settings)
        do throws(StoreError) {
            let schedules = try await store.schedules.schedules()
            let runs = try await store.runs.latest(of: nil, trigger: nil)
            let latest = Dictionary(runs.map { ($0.id, $0) }) { first, _ in first }
            let rows = schedules.map { stored in
                ScheduleReport(stored, last: stored.id.flatMap { latest[$0] }, now: .now)
            }.sorted { $0.id < $1.id }
            switch output {
            case .table: print(ScheduleReport.table(rows))
            case .json: print(ScheduleReport.json(rows).text)
            }
        } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
    }
}
