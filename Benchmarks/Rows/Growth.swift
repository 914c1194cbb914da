import TestSupport
import Util

/// Memory and CPU at rest as a fleet grows, the engine being a recorded fake.
enum Growth {
    private struct Point: Sendable {
        let count: Int
        let collectsLogs: Bool
        let resident: Double
        let most: Double
        let cpu: Double
    }

    static func run(_ bench: BenchEnvironment) async throws -> Report {
        let sizes = [100, 10, 1].map { max(1, bench.scale.fleet / $0) }
        let points = try await Platform.with { platform in
            var points: [Point] = []
            for (collectsLogs, count) in [false, true].flatMap({ on in sizes.map { (on, $0) } }) {
                let point = try await measure(bench, platform, count, collectsLogs: collectsLogs)
                let logs = collectsLogs ? ", output followed" : ""
                say("growth: \(count) bots\(logs): \(megabytes(point.resident)), \(share(point.cpu))")
                points.append(point)
            }
            return points
        }
        return Report(
            figures: figures(points.filter { !$0.collectsLogs }, "", bench.scale)
                + figures(points.filter(\.collectsLogs), ", output of each followed", bench.scale),
            notes: [
                "An interval of 30 s, so that two passes lie in a minute. The fake engine has no output; where it is followed, the "
                    + "program holds a connection for each bot, and the fake keeps them open."
            ]
        )
    }

    private static func measure(
        _ bench: BenchEnvironment,
        _ platform: Platform,
        _ count: Int,
        collectsLogs: Bool
    ) async throws -> Point {
        try await Fleet.with(count, bench, platform, interval: "30s", collectsLogs: collectsLogs) { fleet in
            let before = try fleet.process.usage
            try await Task.sleep(for: .seconds(bench.scale.seconds))
            let after = try fleet.process.usage
            return Point(
                count: count,
                collectsLogs: collectsLogs,
                resident: after.resident,
                most: after.mostResident,
                cpu: after.share(since: before)
            )
        }
    }

    private static func figures(_ points: [Point], _ how: String, _ scale: Scale) -> [Figure] {
        var figures = points.map { point in
            let isLargest = point.count == 10_000
            return Figure(
                "at rest, \(point.count) bots (fake engine)\(how)",
                "\(megabytes(point.resident)) resident, \(share(point.cpu))",
                spread: "most in passes \(megabytes(point.most)); over \(scale.seconds) s",
                target: isLargest ? "≤ 120 MB" : "",
                isReached: isLargest ? point.resident <= 120e6 : nil
            )
        }
        let slopes = zip(points, points.dropFirst()).map { small, large in
            (large.resident - small.resident) / Double(large.count - small.count)
        }
        if let first = slopes.first, let last = slopes.last {
            figures.append(
                Figure(
                    "growth from one size to the next\(how)",
                    slopes.map { "\(digits($0 / 1000)) kB a bot" }.joined(separator: ", then "),
                    target: "linear",
                    // A step of a few MB says little: pages and the allocator's arenas count in it.
                    isReached: last <= 1.5 * max(first, 4000)
                )
            )
        }
        return figures
    }
}
