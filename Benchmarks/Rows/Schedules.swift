/// What schedules cost: many that are due together, how late one starts, and many at rest.
enum Schedules {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let reports = [
            try await ScheduleRush.run(bench), try await ScheduleSkew.run(bench), try await SchedulesAtRest.run(bench),
        ]
        return Report(figures: reports.flatMap(\.figures), notes: reports.flatMap(\.notes))
    }
}
