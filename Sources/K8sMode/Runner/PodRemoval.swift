import Logging
import Model
import Runtime
import Util

/// Ends Pods and sees to it that they are gone.
struct PodRemoval: Sendable {
    let view: PodView
    let nodes: NodeStates
    let finalReading: FinalReading
    let events: PodEvents
    let grace: Duration
    let pace: K8sPace

    /// Ends a run's Pod gently, and by force where the node says so or is gone; returns when the server has it no more.
    func remove(_ run: ObservedRun) async throws(RunnerError) {
        let pod = try PodReference(run)
        let doing = "removing Pod \(pod.name)"
        switch run.phase {
        case .created:
            do throws(K8sError) {
                if try await wasCompleted(pod) { return }
            } catch { throw error.runnerError(.notStopped, doing) }
        // What it wrote goes with it.
        case .exited: await finalReading.read(run)
        case .running, .leaving: break
        }
        do throws(K8sError) {
            guard try await delete(pod) else { return }
        } catch { throw error.runnerError(.notStopped, doing) }
        events.removed(run, pod, in: view.pods)
        // Its last lines come while it ends, and are gone with it.
        async let reading: Void = readAlong(run)
        try await waitUntilGone(pod, doing)
        await reading
    }

    private func readAlong(_ run: ObservedRun) async {
        guard run.isRunning || run.phase == .leaving else { return }
        await finalReading.read(run)
    }

    /// Removes a Pod of which not everything could be made.
    func discard(_ pod: Pod, _ logger: Logger) async {
        let reference = PodReference(pod)
        let failure = await shielded(grace: .seconds(20)) { () async -> K8sError? in
            do throws(K8sError) {
                _ = try await delete(reference, gracePeriodSeconds: 0)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return }
        logger.warning(
            "Pod of a failed start can't be removed",
            metadata: ["pod": "\(pod.name)", "error": "\(failure)"]
        )
    }

    /// Asks for a Pod's deletion.
    /// - Returns: whether it was there.
    private func delete(_ pod: PodReference, gracePeriodSeconds: Int? = nil) async throws(K8sError) -> Bool {
        do throws(K8sError) {
            let wasThere = try await view.pods.delete(
                pod.name,
                uid: pod.uid,
                gracePeriodSeconds: gracePeriodSeconds
            )
            if wasThere { view.writes.removed(view.key(pod.name), uid: pod.uid) } else { view.writes.sawGone(pod) }
            return wasThere
        } catch {
            // Another Pod has the name: this one is gone.
            guard error.code == .conflict else { throw error }
            view.writes.sawGone(pod)
            return false
        }
    }

    /// Whether a Pod that was seen without its Secret has got it since, and runs.
    private func wasCompleted(_ pod: PodReference) async throws(K8sError) -> Bool {
        guard let standing = try await view.pods.get(pod.name), standing.uid == pod.uid else { return true }
        return view.run(standing, now: .now)?.phase != .created
    }

    private func waitUntilGone(_ pod: PodReference, _ doing: String) async throws(RunnerError) {
        let clock = ContinuousClock()
        var deadline = clock.now + grace + pace.removalPatience
        var recheck = pace.recheck
        var isForced = false
        while true {
            let began = clock.now
            let seemsGone = await view.wait(untilGone: pod, within: recheck)
            guard !Task.isCancelled else { throw RunnerError(.cancelled, "\(doing): cancelled") }
            var failure: K8sError?
            var standing: Pod?
            do throws(K8sError) { standing = try await view.pods.get(pod.name) } catch { failure = error }
            if failure == nil, standing?.uid != pod.uid { return view.writes.sawGone(pod) }
            if clock.now >= deadline {
                guard !isForced, let standing, let node = standing.node else {
                    throw stuck(pod, standing, failure, doing)
                }
                let state = await nodes.state(of: node)
                guard state.isLost else {
                    throw stuck(pod, standing, failure, doing, node: "node \(node) \(state.text)")
                }
                do throws(K8sError) { _ = try await delete(pod, gracePeriodSeconds: 0) } catch {
                    throw error.runnerError(.notStopped, doing)
                }
                isForced = true
                deadline = clock.now + pace.removalPatience
            }
            recheck = min(recheck * 2, .seconds(10))
            // The cache is behind, or ahead of what was asked: not in a circle without a pause.
            if seemsGone, began.duration(to: clock.now) < .milliseconds(200) {
                do { try await Task.sleep(for: .milliseconds(200)) } catch {
                    throw RunnerError(.cancelled, "\(doing): cancelled", cause: error)
                }
            }
        }
    }

    private func stuck(
        _ pod: PodReference,
        _ standing: Pod?,
        _ failure: K8sError?,
        _ doing: String,
        node: String? = nil
    ) -> RunnerError {
        let waited = GoDuration.string(grace + pace.removalPatience)
        if let failure {
            return RunnerError(.notStopped, "\(doing): can't be known to be gone: \(failure.message)", cause: failure)
        }
        let finalizers = (standing?.json[["metadata", "finalizers"]]?.array ?? []).compactMap(\.string)
        var reasons: [String] = []
        if !finalizers.isEmpty { reasons.append("kept by \(finalizers.joined(separator: ", ").onOneLine)") }
        if let node {
            reasons.append(
                "\(node); it may still run there, and isn't removed by force while the node exists and isn't tainted "
                    + "node.kubernetes.io/out-of-service"
            )
        }
        let reason = reasons.isEmpty ? "" : ": \(reasons.joined(separator: "; "))"
        return RunnerError(.notStopped, "\(doing): still there after \(waited)\(reason)")
    }
}
