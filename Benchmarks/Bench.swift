import ArgumentParser
import Foundation
import TestSupport

/// `make bench`: what the release-built `runtime` program takes for its work, against a floor measured in the same run.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the real program against the engine's own speed.",
        subcommands: [Measure.self, FakeEngineCommand.self],
        defaultSubcommand: Measure.self
    )
}

/// Runs rows of the table.
struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures rows of the table.",
        discussion: "Rows: " + Row.all.map { "\($0.name) (\($0.title))" }.joined(separator: "; ") + "."
    )

    @Argument(help: "The rows to measure; all by default.")
    var rows: [String] = []

    @Option(help: "How often each row is measured, floor and program in turns.")
    var rounds = 5

    @Option(help: "How many real bots there are.")
    var bots = 50

    @Option(help: "How many bots the recorded fake engine has, and how many schedules there are.")
    var fleet = 10_000

    @Option(help: "How long a minute of rest or of logging lasts, in seconds.")
    var seconds = 60

    @Flag(help: "Keep the table in docs/benchmarks.md.")
    var write = false

    func validate() throws {
        for name in rows where !Row.all.contains(where: { $0.name == name }) {
            throw ValidationError(
                "unknown row '\(name)'; rows are \(Row.all.map(\.name).joined(separator: ", "))"
            )
        }
        for (name, value) in [("rounds", rounds), ("bots", bots), ("fleet", fleet), ("seconds", seconds)]
        where value < 1 {
            throw ValidationError("--\(name) \(value): expected a number from 1")
        }
    }

    func run() async throws {
        let chosen = Row.all.filter { rows.isEmpty || rows.contains($0.name) }
        let scale = Scale(rounds: rounds, bots: bots, fleet: fleet, seconds: seconds)
        let isComplete = try await untilSignalled {
            let bench = try await BenchEnvironment(scale)
            do {
                let isComplete = try await measure(chosen, bench)
                await bench.cleanUp()
                return isComplete
            } catch {
                await bench.cleanUp()
                throw error
            }
        }
        guard isComplete else { throw ExitCode.failure }
    }

    private func measure(_ chosen: [Row], _ bench: BenchEnvironment) async throws -> Bool {
        let machine = try await Machine.described(bench)
        print("\(machine)\n")
        var page = BenchmarkPage(try? String(contentsOfFile: BenchmarkPage.path, encoding: .utf8))
        var isComplete = true
        for row in chosen {
            say("\(row.name): \(row.title)")
            let report: Report
            do {
                report = try await row.run(bench)
            } catch {
                try Task.checkCancellation()
                isComplete = false
                report = Report(figures: [.failed(row.title, "\(error)")], notes: [])
            }
            print(report.table + report.notes.map { "  \($0)\n" }.joined())
            fflush(nil)
            page.set(row, report, machine)
            // After each row: what was measured isn't lost when a later one is broken off.
            if write { try page.text.write(toFile: BenchmarkPage.path, atomically: true, encoding: .utf8) }
        }
        return isComplete
    }
}
