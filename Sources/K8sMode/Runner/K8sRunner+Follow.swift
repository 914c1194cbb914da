import Model
public import Runtime

extension K8sRunner: RunOutputFollowing {
    /// Delivers what a Pod's bot writes from a position on, over one connection to the API server.
    ///
    /// The kubelet starts a bot whose program has ended in a new container of the same Pod, and keeps the log of the one before
    /// it: that is read to its end first. Both streams are one there, all lines count as stdout. While `waiting`, a server that
    /// doesn't answer, or that ends the stream of a container which still runs, is asked again for ever, less and less often up
    /// to every half minute; the position is kept meanwhile.
    ///
    /// What the kubelet throws away is told as a gap, with the first line that follows: a file of a log that has turned over while
    /// nobody followed (by default every 10 MiB), and what more than one container before the newest has written.
    /// - Throws: `RunnerError` with code `gone` when the Pod isn't there any more, unless the stream was followed until the
    ///   container ended; `refused` when the position isn't one of this runner's, or logs may not be read; `cancelled`;
    ///   `unavailable` otherwise, with the cause that `deliver` gave.
    public func follow(
        _ run: ObservedRun,
        after position: OutputPosition?,
        waiting: Bool,
        deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(RunnerError) {
        let pod = try PodReference(run)
        let doing = "following the output of Pod \(pod.name)"
        var place: PodLogPosition?
        if let position {
            place = PodLogPosition(text: position.text)
            guard place != nil else {
                let text = String(position.text.prefix(200)).escapedForMessage
                throw RunnerError(.refused, "\(doing): \(text) is no position in a Pod's log")
            }
        }
        var following = PodLogFollowing(pods: followed, view: view, pod: pod, after: place, logger: logger)
        do throws(PodLogFollowing.Failure) { try await following.run(waiting: waiting, deliver) } catch {
            switch error {
            case .gone: throw RunnerError(.gone, "\(doing): it isn't there any more")
            case .delivery(let cause):
                if Task.isCancelled { throw RunnerError(.cancelled, "\(doing): cancelled", cause: cause) }
                throw RunnerError(.unavailable, "\(doing): what was read can't be delivered: \(cause)", cause: cause)
            case .server(let error): throw error.runnerError(.refused, doing)
            }
        }
    }
}
