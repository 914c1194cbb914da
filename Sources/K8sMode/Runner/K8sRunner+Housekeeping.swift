public import Model
public import Runtime

extension K8sRunner: RunnerHousekeeping {
    /// Removes the volume claims of bots that don't exist any more.
    ///
    /// Only those of the kinds in ``K8sSettings/keptKinds`` are looked at: a runner of live bots doesn't know the schedules.
    /// Secrets need no housekeeping: they belong to their Pods, and the cluster collects them.
    /// - Parameter known: the ids of all bots of these kinds, whether they run or not.
    public func removeLeftovers(known: Set<BotID>) async throws(RunnerError) {
        let claims = StateClaims(
            claims: client.resources(VolumeClaim.self, in: namespace),
            ownership: ownership,
            settings: settings
        )
        try await claims.removeLeftovers(known: known, logger: logger)
    }
}
