import ArgumentParser
import Control
import Model
import Runtime
import Util

/// `runtime plan`: what a pass would do now, and why, without doing it.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Shows what a pass of bot-runner would do now, and why, without doing it.",
        discussion: """
            Every bot with what it is and the steps a pass would take. With --output json also how a bot that ended did so, and \
            its last lines.
            """
    )

    enum Output: String, ExpressibleByArgument, CaseIterable { case table, json }

    @OptionGroup var options: LiveOptions

    @Option(help: "table for people, json for machines.")
    var output: Output = .table

    @Option(help: "How many last lines of a bot that ended are shown in JSON.")
    var lastLines = 10

    func validate() throws {
        guard (0...1000).contains(lastLines) else { throw ValidationError("--last-lines: expected 0 to 1000") }
    }

    func run() async throws {
        let settings = try RunnerSettings.load(flags: options.given, config: options.config, quiet: true)
        let assembly = try await RunnerAssembly(settings)
        let survey: Survey
        do { survey = try await assembly.reconciler.settledSurvey() } catch {
            throw await assembly.parts.failing(error)
        }
        switch output {
        case .table: print(PlanReport.table(survey))
        case .json:
            print(await PlanReport.json(survey, reader: assembly.parts.backend.runner, lastLines: lastLines).text)
        }
    }
}
