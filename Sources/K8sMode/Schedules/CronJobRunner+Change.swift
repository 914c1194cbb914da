import Control
import Model
public import Runtime
import Util

extension CronJobRunner {
    /// What is to be written for a schedule.
    private struct Order {
        let spec: LaunchSpec
        let translation: CronJobTranslation
        let name: String
    }

    private func order(_ spec: LaunchSpec) throws(RunnerError) -> Order {
        let executable = spec.executable
        let bot = Bot(id: executable.id, config: executable.config, custom: executable.custom)
        let schedule = BotSchedule(bot: bot, schedule: executable.config["schedule"]?.string ?? "")
        let translation: CronJobTranslation
        do { translation = try translate(schedule) } catch {
            throw RunnerError(.refused, "no CronJob can keep the schedule: \(error)")
        }
        return Order(spec: spec, translation: translation, name: cluster.names(spec.id).cronJob)
    }

    /// Makes sure that everything a CronJob needs can be had.
    public func prepare(_ spec: LaunchSpec) async throws(RunnerError) {
        _ = try order(spec)
        _ = try await cluster.ingredients(spec)
    }

    /// Makes a schedule's CronJob, after everything that other versions of the controller made for it is gone.
    public func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        let order = try order(spec)
        for old in cache.objects {
            guard let owner = reading.owner(of: old), owner.isLegacy, owner.id == spec.id else { continue }
            try await end(old)
        }
        guard let standing = try await standing(order.name) else { return try await write(order, over: nil) }
        guard let run = reading.run(standing), run.id == spec.id else {
            throw RunnerError(
                .conflict,
                "making CronJob \(order.name): the name belongs to one that isn't the schedule's"
            )
        }
        if run.isRunning {
            if run.origin != .hash(spec.hash) { try await write(order, over: standing) }
        } else {
            try await end(standing)
            try await write(order, over: nil)
        }
    }

    /// Changes a schedule's CronJob in place. What it has begun goes on as it was begun.
    public func update(_ run: ObservedRun, to spec: LaunchSpec) async throws(RunnerError) {
        let reference = try ObjectReference(run)
        let order = try order(spec)
        guard let standing = try await standing(reference.name), standing.uid == reference.uid,
            reference.name == order.name
        else { throw RunnerError(.conflict, "changing CronJob \(reference.name): another one is there by now") }
        if standing.annotations[K8sAnnotation.hash] == spec.hash, !standing.isSuspended { return }
        try await write(order, over: standing)
    }

    private func write(_ order: Order, over standing: CronJob?) async throws(RunnerError) {
        let (pod, link, claim) = try await cluster.ingredients(order.spec)
        let secret = try await cluster.makeSecret(for: order.name, pod, link)
        var annotations = order.spec.annotations(attempt: 0)
        annotations[K8sAnnotation.attempt] = nil
        annotations[K8sAnnotation.secret] = secret
        var cronJob = CronJob(name: order.name)
        if let standing { cronJob.json[["metadata", "uid"]] = .string(standing.uid) }
        cronJob.labels = pod.labels
        cronJob.annotations = annotations
        cronJob.spec = order.translation.spec(
            labels: pod.labels,
            annotations: annotations,
            pod: pod.podSpec(secret: secret, claim: claim)
        )
        let made: CronJob
        do throws(K8sError) {
            made = try await cluster.cronJobs.apply(cronJob, fieldManager: PodPlace.fieldManager, force: true)
        } catch {
            // Where it isn't known whether it was written, its Pods may need the Secret: housekeeping finds out.
            if error.isAnswer { await cluster.discardSecret(secret) }
            throw error.runnerError(.refused, "writing CronJob \(order.name)")
        }
        await cluster.give(secret, to: [made])
        guard made.timeZone == order.translation.timeZone else {
            try await end(made)
            throw RunnerError(.refused, "writing CronJob \(order.name): the server has dropped its time zone")
        }
        // The Secret from before may be needed by Jobs that are just being made: housekeeping removes it.
    }

    // MARK: The end

    /// Removes a schedule's CronJob; what it has begun goes on to its end.
    public func remove(_ run: ObservedRun) async throws(RunnerError) {
        let reference = try ObjectReference(run)
        guard let standing = try await standing(reference.name), standing.uid == reference.uid else { return }
        try await end(standing)
    }

    /// Has a CronJob begin nothing any more, then removes it. Its Jobs stay: the name of one that has ended keeps its slot from
    /// running again, and housekeeping removes it after a while.
    private func end(_ cronJob: CronJob) async throws(RunnerError) {
        let doing = "removing CronJob \(cronJob.name)"
        guard let suspended = try await suspend(cronJob) else { return }
        if !cluster.ownership.owns(suspended, kind: .scheduled) {
            for job in try await jobs(of: suspended) { try await adopt(job, of: suspended) }
        }
        do throws(K8sError) {
            try await cluster.cronJobs.delete(cronJob.name, uid: cronJob.uid, propagation: .orphan)
        } catch {
            guard error.code != .conflict else { return }
            throw error.runnerError(.notStopped, doing)
        }
        let isGone = try await cluster.wait(.seconds(30), doing) { () async throws(K8sError) in
            try await self.cluster.cronJobs.get(cronJob.name).map { $0.uid != cronJob.uid } ?? true
        }
        guard isGone else { throw RunnerError(.notStopped, "\(doing): it isn't gone after 30 seconds") }
        if let secret = suspended.annotations[K8sAnnotation.secret] { try await retire(secret) }
    }

    /// Nil where it is gone.
    private func suspend(_ cronJob: CronJob) async throws(RunnerError) -> CronJob? {
        for _ in 0..<5 {
            guard var standing = try await standing(cronJob.name), standing.uid == cronJob.uid else { return nil }
            if standing.isSuspended || standing.deletion != nil { return standing }
            standing.isSuspended = true
            do throws(K8sError) {
                return try await cluster.cronJobs.replace(standing, fieldManager: PodPlace.fieldManager)
            } catch {
                // Its controller writes its status meanwhile.
                guard error.code == .conflict else {
                    throw error.runnerError(.notStopped, "suspending CronJob \(cronJob.name)")
                }
            }
        }
        throw RunnerError(.notStopped, "suspending CronJob \(cronJob.name): it is changed again and again")
    }

    private func jobs(of cronJob: CronJob) async throws(RunnerError) -> [Job] {
        do throws(K8sError) {
            return try await cluster.jobs.list(keep: { $0.reduced }).items
                .filter { job in job.owners.contains { $0.uid == cronJob.uid } }
        } catch {
            throw error.runnerError(.unavailable, "reading the Jobs of CronJob \(cronJob.name)")
        }
    }

    /// Makes a Job ours that another version's CronJob made, so that it is removed one day.
    private func adopt(_ job: Job, of cronJob: CronJob) async throws(RunnerError) {
        guard let owner = reading.owner(of: cronJob) else { return }
        var order = Job(name: job.name)
        order.json[["metadata", "uid"]] = .string(job.uid)
        order.labels = cluster.ownership.labels(of: .scheduled, id: owner.id)
        order.annotations = [K8sAnnotation.id: owner.id.text]
        do throws(K8sError) {
            _ = try await cluster.jobs.apply(order, fieldManager: "the0-adopt", force: true)
        } catch {
            guard error.code != .notFound, error.code != .conflict else { return }
            throw error.runnerError(.unavailable, "adopting Job \(job.name)")
        }
    }

    /// Removes the Secret of a CronJob that is gone, or leaves it to the Jobs that still need it.
    private func retire(_ secret: String) async throws(RunnerError) {
        let going: [Job]
        do throws(K8sError) {
            going = try await cluster.jobs.list(cluster.ownership.selection(of: .scheduled), keep: { $0.reduced }).items
                .filter { $0.needs(secret) }
        } catch {
            throw error.runnerError(.unavailable, "reading the Jobs that need Secret \(secret)")
        }
        if going.isEmpty { await cluster.discardSecret(secret) } else { await cluster.give(secret, to: going) }
    }
}

extension Job {
    /// Whether Pods of it may still be made that read a Secret.
    func needs(_ secret: String) -> Bool {
        !isFinished && deletion == nil && annotations[K8sAnnotation.secret] == secret
    }
}
