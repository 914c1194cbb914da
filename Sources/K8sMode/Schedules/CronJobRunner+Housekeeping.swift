public import Model
public import Runtime
import Synchronization
import Util

extension CronJobRunner: RunnerHousekeeping {
    /// How often leftovers are looked for, and how old one has to be.
    private static var age: Duration { .seconds(3600) }

    /// Removes what nothing needs any more: Jobs that ended and have no CronJob, Secrets that no Pod will read, and, where
    /// ``K8sSettings/keptKinds`` has schedules among them, the volumes of schedules that are gone.
    public func removeLeftovers(known: Set<BotID>) async throws(RunnerError) {
        let now = ContinuousClock.now
        let isDue = tidied.withLock { last in last.map { $0.duration(to: now) >= Self.age } ?? true }
        guard isDue else { return }
        try await tidy(now: .now)
        if cluster.settings.keptKinds.contains(.scheduled) {
            var settings = cluster.settings
            settings.keptKinds = [.scheduled]
            let claims = StateClaims(
                claims: cluster.client.resources(VolumeClaim.self, in: cluster.namespace),
                ownership: cluster.ownership,
                settings: settings
            )
            try await claims.removeLeftovers(known: known, logger: cluster.logger)
        }
        tidied.withLock { $0 = now }
    }

    /// Removes Jobs and Secrets that are left over at a time.
    func tidy(now: Timestamp) async throws(RunnerError) {
        let own = cluster.ownership.selection(of: .scheduled)
        do throws(K8sError) {
            let secrets = try await cluster.secrets.metadataOnly.list(own).items
            // Read after the Secrets: what needs one of these is there by now.
            let jobs = try await cluster.jobs.list(own, keep: { $0.reduced }).items
            let cronJobs =
                cluster.server.resource == nil
                ? [] : try await cluster.cronJobs.list(own, keep: { CronJobReading.reduced($0) }).items
            for job in jobs where isLeftover(job, now) {
                try await cluster.jobs.delete(job.name, uid: job.uid, propagation: .background)
            }
            for secret in secrets where isOld(secret.created, now) {
                let needing = jobs.filter { $0.needs(secret.name) }
                let keeper = cronJobs.first { $0.annotations[K8sAnnotation.secret] == secret.name }
                if needing.isEmpty, keeper == nil {
                    try await cluster.secrets.delete(secret.name, uid: secret.uid)
                } else if secret.owners.isEmpty {
                    if let keeper {
                        await cluster.give(secret.name, to: [keeper])
                    } else {
                        await cluster.give(secret.name, to: needing)
                    }
                }
            }
        } catch {
            guard error.code != .conflict else { return }
            throw error.runnerError(.unavailable, "removing what is left over of schedules")
        }
    }

    /// A Job that a CronJob made and doesn't keep any more; slots' Jobs are the scheduler's.
    private func isLeftover(_ job: Job, _ now: Timestamp) -> Bool {
        guard cluster.ownership.owns(job, kind: .scheduled), job.labels[K8sLabel.slot] == nil, job.isFinished,
            job.deletion == nil, !job.owners.contains(where: \.isController)
        else { return false }
        return isOld(job.completed ?? job.failure?.changed ?? job.created, now)
    }

    private func isOld(_ time: Timestamp?, _ now: Timestamp) -> Bool {
        time.map { now.duration(since: $0) > Self.age } ?? false
    }
}
