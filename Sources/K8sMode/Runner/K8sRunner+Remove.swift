public import Runtime

extension K8sRunner {
    /// Ends a Pod with SIGTERM, after the grace with SIGKILL, and removes it; the bot's state stays.
    ///
    /// On a node that doesn't answer nobody knows whether the bot still runs. Such a Pod is removed by force only when the node is
    /// gone or was marked as out of service, and can't be removed until then.
    public func remove(_ run: ObservedRun) async throws(RunnerError) {
        try await removal.remove(run)
    }
}
