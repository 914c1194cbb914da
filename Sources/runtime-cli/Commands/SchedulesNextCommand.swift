import ArgumentParser
import Util

/// `runtime schedules next`: the next times of an expression.
struct SchedulesNextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "Shows what a cron expression means, and when it runs next.",
        discussion: """
            Examples:
              runtime schedules next "0 9 * * MON-FRI" --zone Europe/Berlin
              runtime schedules next "TZ=America/New_York 30 16 LW * *" --count 3 --after 2026-01-01T00:00:00Z
            """
    )

    @Argument(help: "The cron expression, in one argument.")
    var expression: String

    @Option(help: ArgumentHelp("The time zone of an expression that names none (UTC).", valueName: "name"))
    var zone = "UTC"

    @Option(help: "How many times are shown.")
    var count = 5

    @Option(help: ArgumentHelp("From when on: 2026-01-02T03:04:05Z (now).", valueName: "time"))
    var after: String?

    @Option(help: ArgumentHelp("The schedule's id, which H stands for a time by.", valueName: "id"))
    var id: String?

    func validate() throws {
        guard (1...1000).contains(count) else { throw ValidationError("--count: expected 1 to 1000") }
    }

    func run() throws {
        let cron: CronExpression
        do throws(CronError) {
            let rules = try TimeZoneDatabase.system.rules(named: zone)
            cron = try CronExpression(expression, zone: rules, seed: id)
        } catch {
            throw CommandExit.failing(ExitCode.validationFailure, error)
        }
        var time = Timestamp.now
        if let after {
            do { time = try RFC3339.parse(after) } catch {
                throw ValidationError("--after: expected a time as 2026-01-02T03:04:05Z")
            }
        }
        print(cron.describe())
        for _ in 0..<count {
            guard let next = cron.next(after: time) else { break }
            print(next)
            time = next
        }
    }
}
