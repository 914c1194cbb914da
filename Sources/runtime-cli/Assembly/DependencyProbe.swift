import Logging
import Monitoring
import ServiceLifecycle

/// Something a runner depends on, and how to ask whether it answers.
struct DependencyProbe: Sendable {
    let name: String
    let check: @Sendable () async throws -> Void
}

/// Why a dependency that can't be asked counts as not answering.
struct ProbeFailure: Error, CustomStringConvertible {
    let description: String
}

/// Asks dependencies every few seconds whether they answer, for `/readyz`.
struct DependencyProbes: Service {
    let probes: [DependencyProbe]
    let health: HealthState
    let logger: Logger

    private static let interval = Duration.seconds(10)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await withDiscardingTaskGroup { group in
                    for probe in probes { group.addTask { await report(probe) } }
                }
                // Ends early when cancelled, which the loop then sees.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func report(_ probe: DependencyProbe) async {
        do {
            try await probe.check()
            health.ok(probe.name)
        } catch {
            guard !Task.isCancelled else { return }
            logger.debug("dependency doesn't answer", metadata: ["dependency": "\(probe.name)", "error": "\(error)"])
            health.failing(probe.name, reason: "\(error)")
        }
    }
}
