import TestSupport
import Util

/// Memory and CPU at rest as a fleet grows, the engine being a recorded fake.
enum Growth {
    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let sizes = [100, 10, 1].map { max(1, bench.scale.fleet / $0) }
        let points = try await Platform.with { platform in
            var points: [(count: Int, resident: Double, most: Double, cpu: Double)] = []
            for count in sizes {
                let point = try await Fleet.with(count, bench, platform, interval: "30s") { fleet in
                    // Over two passes.
                    let before = try fleet.process.usage
                    try await Task.sleep(for: .seconds(bench.scale.seconds))
                    let after = try fleet.process.usage
                    return (count, after.resident, after.mostResident, after.share(since: before))
                }
                say("growth: \(count) bots: \(megabytes(point.1)), \(share(point.3))")
                points.append(point)
            }
            return points
        }
        return report(points, seconds: bench.scale.seconds)
    }

    private static func report(
        _ points: [(count: Int, resident: Double, most: Double, cpu: Double)],
        seconds: Int
    ) -> Report {
        var figures = points.map { point in
            Figure(
                "at rest, \(point.count) bots (fake engine)",
                "\(megabytes(point.resident)) resident, \(share(point.cpu))",
                spread: "most in passes \(megabytes(point.most)); over \(seconds) s",
                target: point.count == 10_000 ? "≤ 120 MB" : "",
                isReached: point.count == 10_000 ? point.resident <= 120e6 : nil
            )
        }
        let slopes = zip(points, points.dropFirst()).map { small, large in
            (large.resident - small.resident) / Double(large.count - small.count)
        }
        if let last = slopes.last {
            figures.append(
                Figure(
                    "growth from one size to the next",
                    slopes.map { "\(digits($0 / 1000)) kB a bot" }.joined(separator: ", then "),
                    target: "linear",
                    // Pages and the allocator's arenas count in the first step, which is short.
                    isReached: last <= 2 * max(slopes.first ?? last, 1000)
                )
            )
        }
        return Report(figures: figures, notes: ["An interval of 30 s, so that two passes lie in a minute."])
    }
}
