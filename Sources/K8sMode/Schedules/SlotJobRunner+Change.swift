import Model
public import Runtime
import Util

extension SlotJobRunner {
    /// A Pod may need its grace, and its kubelet as long again to say so.
    private var patience: Duration { cluster.endPatience * 2 }

    /// Makes a slot's Job, and the Secret that its Pod reads.
    ///
    /// The Job tries once: further attempts are the scheduler's to make, and so is the time that a run may take.
    public func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        guard let slot = spec.executable.slot else {
            throw RunnerError(.refused, "a Job is for a slot of a schedule; there is none")
        }
        let (pod, link, claim) = try await cluster.ingredients(spec)
        let name = cluster.names(spec.id).job(slot)
        let secret = try await cluster.makeSecret(for: name, pod, link)
        var job = Job(name: name)
        job.labels = pod.labels
        job.annotations = spec.annotations(attempt: attempt).merging([K8sAnnotation.secret: secret]) { $1 }
        job.spec = [
            "backoffLimit": 0,
            "template": [
                "metadata": [
                    "labels": JSONValue(strings: job.labels), "annotations": JSONValue(strings: job.annotations),
                ],
                "spec": .object(pod.podSpec(secret: secret, claim: claim)),
            ],
        ]
        do throws(K8sError) {
            let made = try await cluster.jobs.create(job, fieldManager: PodPlace.fieldManager)
            await cluster.give(secret, to: [made])
        } catch {
            // Where it isn't known whether there is a Job now, its Pod may need the Secret: housekeeping finds out.
            if error.isAnswer { await cluster.discardSecret(secret) }
            throw error.runnerError(.refused, "making Job \(name)")
        }
    }

    /// Ends a run: the kubelet ends its Pod as it would at a deadline, and leaves it there; a Pod that no kubelet has yet goes
    /// with the Job's deadline.
    public func stop(_ run: ObservedRun) async throws(RunnerError) {
        let reference = try ObjectReference(run)
        let doing = "stopping Job \(reference.name)"
        do throws(K8sError) { try await end(reference) } catch {
            throw error.runnerError(.notStopped, doing)
        }
        let ended = try await cluster.wait(patience, doing) { () async throws(K8sError) in
            guard let job = try await self.standing(reference) else { return true }
            guard job.isFinished else { return false }
            let pods = try await self.cluster.pods(of: job)
            return JobReading.isOver(job, pods: pods, patience: self.cluster.endPatience, now: .now)
        }
        guard ended else { throw RunnerError(.notStopped, "\(doing): it hasn't ended within \(patience)") }
    }

    private func standing(_ reference: ObjectReference) async throws(K8sError) -> Job? {
        guard let job = try await cluster.jobs.get(reference.name), job.uid == reference.uid else { return nil }
        return job
    }

    /// Tells a Job to end, unless it has.
    private func end(_ reference: ObjectReference) async throws(K8sError) {
        guard let job = try await standing(reference), !job.isFinished, job.deletion == nil else { return }
        let placed = try await cluster.pods(of: job).filter { pod in
            pod.node != nil && pod.phase != .succeeded && pod.phase != .failed
        }
        for pod in placed {
            var order = Pod(name: pod.name)
            order.json[["metadata", "uid"]] = .string(pod.uid)
            order.json[["spec", "activeDeadlineSeconds"]] = 1
            _ = try await cluster.pods.apply(order, fieldManager: PodPlace.fieldManager, force: true)
        }
        if placed.isEmpty {
            var order = Job(name: job.name)
            order.json[["metadata", "uid"]] = .string(job.uid)
            order.json[["spec", "activeDeadlineSeconds"]] = 1
            _ = try await cluster.jobs.apply(order, fieldManager: "the0-end", force: true)
        }
    }

    /// Ends a run if need be, and removes Job, Pods and Secret.
    public func remove(_ run: ObservedRun) async throws(RunnerError) {
        let reference = try ObjectReference(run)
        let doing = "removing Job \(reference.name)"
        do throws(K8sError) {
            try await cluster.jobs.delete(reference.name, uid: reference.uid, propagation: .foreground)
        } catch {
            // Another one stands under its name: this one is gone.
            guard error.code != .conflict else { return }
            throw error.runnerError(.notStopped, doing)
        }
        let isGone = try await cluster.wait(patience, doing) { () async throws(K8sError) in
            try await self.standing(reference) == nil
        }
        guard isGone else { throw RunnerError(.notStopped, "\(doing): it isn't gone after \(patience)") }
    }

    /// What a run left as its result: its container's termination message, at most 4096 bytes.
    public func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? {
        let reference = try ObjectReference(run)
        let pod: Pod?
        do throws(K8sError) {
            guard let job = try await standing(reference) else {
                throw K8sError(.notFound, "Job \(reference.name) isn't there any more")
            }
            guard job.isFinished else { throw K8sError(.conflict, "Job \(reference.name) hasn't ended") }
            pod = JobReading.lastPod(try await cluster.pods(of: job))
        } catch {
            if error.code == .notFound { throw RunnerError(.gone, error.message) }
            if error.code == .conflict { throw RunnerError(.conflict, error.message) }
            throw error.runnerError(.unavailable, "reading the result of Job \(reference.name)")
        }
        guard let pod else { throw RunnerError(.gone, "the Pod of Job \(reference.name) isn't there any more") }
        guard let message = JobReading.message(of: pod) else { return nil }
        return try ResultScript.result(in: message, limit: limit)
    }
}
