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
    /// How soon what doesn't answer is asked again: whoever waits for readiness waits no longer than that in vain.
    private static let impatience = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for probe in probes { group.addTask { await repeatedly(probe) } }
            }
        }
    }

    /// Each on its own: one that hangs holds up no other.
    private func repeatedly(_ probe: DependencyProbe) async {
        while !Task.isCancelled {
            let pause: Duration
            do {
                try await probe.check()
                health.ok(probe.name)
                pause = Self.interval
            } catch {
                guard !Task.isCancelled else { return }
                logger.debug(
                    "dependency doesn't answer",
                    metadata: ["dependency": "\(probe.name)", "error": "\(error)"]
                )
                health.failing(probe.name, reason: "\(error)")
                pause = Self.impatience
            }
            // Ends early when cancelled, which the loop then sees.
            try? await Task.sleep(for: pause)
        }
    }
}
