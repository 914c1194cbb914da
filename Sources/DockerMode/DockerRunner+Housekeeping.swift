public import Model
public import Runtime

extension DockerRunner: RunnerHousekeeping {
    /// Removes the state of bots that don't exist any more, images that were superseded, and traces of broken-off work.
    ///
    /// Only state of the kinds in ``DockerSettings/keptKinds`` is looked at: a runner of live bots doesn't know the schedules.
    /// - Parameter known: the ids of all bots of these kinds, whether they run or not.
    public func removeLeftovers(known: Set<BotID>) async throws(RunnerError) {
        let leftovers = Leftovers(
            engine: engine,
            instance: names.instance,
            images: images,
            prepared: prepared,
            codeImages: codeImages,
            logger: logger
        )
        do throws(DockerError) {
            try await leftovers.removeStates(kinds: settings.keptKinds, known: known)
            try await leftovers.removeBrokenPreparations()
        } catch {
            throw error.runnerError(.unavailable, "removing leftovers")
        }
        try await leftovers.removeSupersededImages()
    }
}
