public import Control
import Model
public import Runtime
import Util

extension CronJobRunner: PlatformRunReading {
    /// The Jobs of CronJobs that have ended, as far as the cluster keeps them: the last three that succeeded and the last one
    /// that failed of each.
    public func endedRuns() async throws(RunnerError) -> [PlatformRun] {
        guard cluster.server.resource != nil else { return [] }
        guard jobs.isSynced else { throw RunnerError(.unavailable, "the cluster's Jobs haven't all been read yet") }
        return jobs.objects.compactMap { job in
            guard cluster.ownership.owns(job, kind: .scheduled), job.isFinished, job.labels[K8sLabel.slot] == nil,
                let id = job.annotations[K8sAnnotation.id], !id.isEmpty, let slot = job.scheduledSlot
            else { return nil }
            return PlatformRun(reference: ObjectReference(job).text, key: RunKey(BotID(id), slot))
        }
    }

    /// How a Job of a CronJob has ended.
    public func end(of run: PlatformRun, limit: Int) async throws(RunnerError) -> PlatformRunEnd? {
        let name = String(run.reference.prefix { $0 != "/" })
        let doing = "reading the end of Job \(name)"
        // What never tells its end is told after this time; so is what isn't there any more.
        _ = try await cluster.wait(cluster.endPatience, doing) { () async throws(K8sError) in
            guard let job = try await self.cluster.jobs.get(name) else { return true }
            let pods = try await self.cluster.pods(of: job)
            return JobReading.isOver(job, pods: pods, patience: self.cluster.endPatience, now: .now)
        }
        let job: Job
        let pods: [Pod]
        do throws(K8sError) {
            guard let standing = try await cluster.jobs.get(name), ObjectReference(standing).text == run.reference
            else {
                return nil
            }
            job = standing
            pods = try await cluster.pods(of: job)
        } catch {
            throw error.runnerError(.unavailable, doing)
        }
        let last = JobReading.lastPod(pods)
        let result: Result<[UInt8]?, RunnerError>
        do throws(RunnerError) {
            let message = last.flatMap { JobReading.message(of: $0) } ?? ""
            result = .success(try ResultScript.result(in: message, limit: limit))
        } catch {
            result = .failure(error)
        }
        let deadline = "DeadlineExceeded"
        return PlatformRunEnd(
            exit: JobReading.exit(job, pods: pods),
            isTimedOut: job.failure?.reason == deadline || (job.failure != nil && last?.reason == deadline),
            result: result
        )
    }
}

extension Job {
    /// The slot that a CronJob's controller made it for: newer ones say so, older ones put it into the name.
    var scheduledSlot: Slot? {
        if let time = time(["metadata", "annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"]) {
            return Slot(time.secondsSince1970)
        }
        return ScheduleNames.slot(ofJob: name)
    }
}
