import Control
import Logging
import Model
import Runtime
import Util

/// The cluster as far as schedules are concerned: what both kinds of runners need of it.
struct ScheduleCluster: Sendable {
    let client: K8sClient
    let namespace: String
    let ownership: Ownership
    let server: CronJobServer
    let links: any CodeLinking
    let settings: K8sSettings
    let logger: Logger
    /// How often it is asked again whether something that takes its time has come about.
    var poll: Duration = .milliseconds(500)

    var jobs: Resources<Job> { client.resources(Job.self, in: namespace) }
    var pods: Resources<Pod> { client.resources(Pod.self, in: namespace) }
    var secrets: Resources<Secret> { client.resources(Secret.self, in: namespace) }
    var cronJobs: Resources<CronJob> { client.resources(CronJob.self, in: namespace, at: server.resource) }

    /// How long after its grace a run may take to be seen to have ended.
    var endPatience: Duration { settings.stopGrace + .seconds(30) }

    func names(_ id: BotID) -> ScheduleNames { ScheduleNames(id: id, isBySecond: server.isFirstGeneration) }

    /// Selects what belongs to one schedule.
    func selection(_ id: BotID) -> Selection {
        Selection(
            labels: ownership.selection(of: .scheduled).labels + ",\(K8sLabel.id)=\(SafeName.labelValue(id).text)"
        )
    }

    /// What a specification's Pod is made of, once everything that it needs is there.
    func ingredients(_ spec: LaunchSpec) async throws(RunnerError) -> (
        pod: ScheduledPod, link: CodeLink, claim: String?
    ) {
        let pod = try ScheduledPod(spec, settings: settings, ownership: ownership)
        let link = try await links.link(for: spec.executable.custom, of: spec.id)
        let claims = StateClaims(
            claims: client.resources(VolumeClaim.self, in: namespace),
            ownership: ownership,
            settings: settings
        )
        return (pod, link, try await claims.ensure(for: spec))
    }

    /// The Pods of a Job.
    func pods(of job: Job) async throws(K8sError) -> [Pod] {
        try await pods.list(Selection(labels: "job-name=\(job.name)")).items
            .filter { pod in pod.owners.contains { $0.uid == job.uid } }
    }

    // MARK: Secrets

    /// Makes a Secret that belongs to nobody yet, under a name of its own.
    /// - Returns: its name.
    func makeSecret(for name: String, _ pod: ScheduledPod, _ link: CodeLink) async throws(RunnerError) -> String {
        let secret = pod.secret(named: K8sNames.secret(pod: name), link: link)
        do throws(K8sError) {
            return try await secrets.create(secret, fieldManager: PodPlace.fieldManager).name
        } catch {
            throw error.withoutSecrets.runnerError(.refused, "making Secret \(secret.name)")
        }
    }

    /// Has a Secret collected with objects. Where that can't be done now, the next housekeeping does it; one that is gone comes
    /// back empty, and is collected all the same.
    func give(_ secret: String, to owners: [some K8sObject]) async {
        var order = Secret(name: secret)
        order.owners = owners.map { owner in
            OwnerReference(
                apiVersion: owner.json["apiVersion"]?.string ?? "",
                kind: owner.json["kind"]?.string ?? "",
                name: owner.name,
                uid: owner.uid
            )
        }
        do throws(K8sError) {
            _ = try await secrets.apply(order, fieldManager: "the0-owner", force: true)
        } catch {
            logger.warning("a Secret belongs to nobody yet", metadata: ["secret": "\(secret)", "error": "\(error)"])
        }
    }

    /// Removes a Secret of something that wasn't made, or is gone.
    func discardSecret(_ secret: String) async {
        do throws(K8sError) { try await secrets.delete(secret) } catch {
            logger.warning("a Secret is left over", metadata: ["secret": "\(secret)", "error": "\(error)"])
        }
    }

    // MARK: Waiting

    /// Asks again and again until something has come about.
    /// - Parameter patience: for how long.
    /// - Returns: whether it has.
    func wait(
        _ patience: Duration,
        _ doing: String,
        until isDone: () async throws(K8sError) -> Bool
    ) async throws(RunnerError) -> Bool {
        let end = ContinuousClock.now.advanced(by: patience)
        while true {
            do throws(K8sError) { if try await isDone() { return true } } catch {
                throw error.runnerError(.notStopped, doing)
            }
            guard ContinuousClock.now < end else { return false }
            do { try await Task.sleep(for: poll) } catch { throw RunnerError(.cancelled, "\(doing): cancelled") }
        }
    }
}

extension K8sError {
    /// Without what the server said, which may repeat what a Secret holds.
    var withoutSecrets: K8sError {
        guard code == .invalid || code == .refused else { return self }
        let text = "the API server refuses it: status \(status?.code ?? 0) \(status?.reason ?? "")"
        return K8sError(code, text, retryAfter: retryAfter)
    }

    /// Whether the server has certainly not done what it was asked.
    var isAnswer: Bool {
        switch code {
        case .setting, .credential, .unauthorized, .forbidden, .notFound, .alreadyExists, .conflict, .invalid, .refused,
            .throttled:
            true
        case .unreachable, .timedOut, .badAnswer, .expired, .failed, .cancelled: false
        }
    }
}

extension K8sAnnotation {
    /// On Jobs and CronJobs: the Secret that their Pods read.
    static let secret = "the0.dev/secret"
}
