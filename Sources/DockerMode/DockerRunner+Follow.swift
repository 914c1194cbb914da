import Model
public import Runtime

extension DockerRunner: RunOutputFollowing {
    /// Delivers a container's output from a position on, over one connection to the engine.
    ///
    /// While `waiting`, an engine that doesn't answer, or that ends the stream of a container which still runs, is asked again
    /// for ever, less and less often up to every 10 s; the position is kept meanwhile. Each batch has the lines that ended in one
    /// piece of the engine's answer; no more is read until it was taken. A line ends with `\n` or `\r\n`.
    ///
    /// What the engine throws away, as its log files turn over, is told as a gap, with the first line that follows or with a
    /// batch without lines. A clock of the engine's machine that was set back by more than some seconds is noticed whenever a
    /// reading begins; while a connection lasts that was itself begun from a position, the engine holds back lines with times
    /// before that. A container that was never started has no output yet and is waited for.
    /// - Throws: `RunnerError` with code `gone` when the container isn't there any more, also after its output was delivered
    ///   when it removed itself, as those of version 1.2.0 do; `refused` when the position isn't one of this runner's or the
    ///   container has no log that can be read; `cancelled`; `unavailable` otherwise, with the cause that `deliver` gave.
    public func follow(
        _ run: ObservedRun,
        after position: OutputPosition?,
        waiting: Bool,
        deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(RunnerError) {
        let doing = "following the output of container \(run.reference)"
        var place: LogPosition?
        if let position {
            place = LogPosition(text: position.text)
            guard place != nil else {
                let text = String(position.text.prefix(200)).escapedForMessage
                throw RunnerError(.refused, "\(doing): \(text) is no position in a container's log")
            }
        }
        var following = LogFollowing(engine: followed, container: run.reference, logger: logger, place: place)
        do throws(LogFollowing.Failure) { try await following.run(waiting: waiting, deliver) } catch {
            switch error {
            case .gone: throw RunnerError(.gone, "\(doing): it isn't there any more")
            case .delivery(let cause):
                if Task.isCancelled { throw RunnerError(.cancelled, "\(doing): cancelled", cause: cause) }
                throw RunnerError(.unavailable, "\(doing): what was read can't be delivered: \(cause)", cause: cause)
            case .engine(let error): throw error.runnerError(.unavailable, doing)
            case .unreadable(let error): throw RunnerError(.refused, "\(doing): \(error.message)", cause: error)
            }
        }
    }
}
