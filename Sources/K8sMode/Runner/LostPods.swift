import Logging
import Model
import Runtime
import Util

/// Gives up Pods that were to go and whose machine is gone for good: nobody is left who could say that they have ended.
struct LostPods: Sendable {
    let view: PodView
    let nodes: NodeStates
    let interval: Duration
    let logger: Logger

    /// Looks for such Pods from time to time, until cancelled.
    func run() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { return }
            await sweep(now: .now)
        }
    }

    /// Looks for such Pods once.
    func sweep(now: Timestamp) async {
        let overdue = view.all.filter { pod in
            pod.deletion.map { now > $0.advanced(by: PodReading.patience) } ?? false
        }
        for (node, pods) in Dictionary(grouping: overdue, by: { $0.node ?? "" }) where !node.isEmpty {
            let state = await nodes.state(of: node)
            guard state.isLost else { continue }
            for pod in pods { await giveUp(pod, node: node, state) }
        }
    }

    private func giveUp(_ pod: Pod, node: String, _ state: NodeStates.State) async {
        let metadata: Logger.Metadata = ["pod": "\(pod.name)", "node": "\(node.onOneLine)", "state": "\(state.text)"]
        do throws(K8sError) {
            try await view.pods.delete(pod.name, uid: pod.uid, gracePeriodSeconds: 0)
            logger.notice("removed a Pod whose node is lost", metadata: metadata)
        } catch {
            guard error.code != .conflict, !Task.isCancelled else { return }
            logger.warning(
                "Pod of a lost node can't be removed",
                metadata: metadata.merging(["error": "\(error)"]) { old, _ in old }
            )
        }
    }
}
