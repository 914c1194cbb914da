import Logging
import Model
import Runtime
import Synchronization
import Util

/// Tells of what was done to Pods as Events, for `kubectl describe`. Nothing waits for them, and what can't be told is left out.
final class PodEvents: Sendable {
    private let resources: Resources<Event>
    private let logger: Logger
    private let events: AsyncStream<Event>
    private let feed: AsyncStream<Event>.Continuation
    /// Why the last Pod of a name had to go, until its successor was made.
    private let reasons = Mutex<[String: String]>([:])

    /// How many may wait; beyond that the newest are left out.
    private static let mostWaiting = 512
    private static let component = "the0-runtime"

    init(client: K8sClient, namespace: String, logger: Logger) {
        resources = client.resources(Event.self, in: namespace)
        self.logger = logger
        (events, feed) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.mostWaiting))
    }

    /// A Pod was made.
    func created(_ pod: Pod) {
        let reason = reasons.withLock { $0.removeValue(forKey: pod.name) }
        note(pod, "Created", reason.map { "made in place of \($0)" } ?? "made")
    }

    /// A run's Pod was told to go.
    func removed(_ run: ObservedRun, _ pod: PodReference, in pods: Resources<Pod>) {
        let what: String
        switch (run.origin, run.phase) {
        case (.legacy, _): what = "one of another version of the runtime"
        case (_, .created): what = "one that was never started"
        case (_, .exited(let exit)):
            what =
                "one that ended with exit code \(exit.code)"
                + (exit.platformError.isEmpty ? "" : ", \(exit.platformError)")
        case (_, .running), (_, .leaving): what = "one of another specification"
        }
        reasons.withLock { reasons in
            if reasons.count >= Self.mostWaiting { reasons = [:] }
            reasons[pod.name] = what
        }
        var gone = Pod(name: pod.name, namespace: pods.namespace)
        gone.json[["metadata", "uid"]] = .string(pod.uid)
        note(gone, "Removed", "told to end: the bot is to stop, or to be started anew")
    }

    private func note(_ pod: Pod, _ reason: String, _ message: String) {
        let now = Timestamp.now
        feed.yield(
            Event(
                name: "\(pod.name).\(String(UInt64(bitPattern: now.nanosecondsSince1970), radix: 16))",
                about: pod,
                reason: reason,
                message: message,
                component: Self.component,
                time: now
            )
        )
    }

    /// Sends what there is to tell, until cancelled.
    func run() async {
        for await event in events {
            do throws(K8sError) { _ = try await resources.create(event) } catch {
                guard !Task.isCancelled else { return }
                logger.debug("an Event can't be written", metadata: ["about": "\(event.about)", "error": "\(error)"])
            }
        }
    }
}
