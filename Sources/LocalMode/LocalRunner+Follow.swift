import Glibc
public import Runtime

extension LocalRunner: RunOutputFollowing {
    /// Delivers a run's output from a position on, every line once: from the files that its supervisor writes.
    public func follow(
        _ run: ObservedRun,
        after position: OutputPosition?,
        waiting: Bool,
        deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(RunnerError) {
        do throws(LocalError) {
            try await follow(
                run.reference,
                try position.map { position throws(LocalError) in try .init(position) },
                waiting,
                run,
                deliver
            )
        } catch {
            throw error.runnerError(.unavailable, "following the output of the run \(run.reference)")
        }
    }

    private static let mask = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF)

    private func follow(
        _ reference: String,
        _ position: OutputReader.Position?,
        _ waiting: Bool,
        _ run: ObservedRun,
        _ deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(LocalError) {
        let reader = try await worker.run { () throws(LocalError) in try self.reader(of: run) }
        let (changes, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        var subscriptions: [SystemEvents.Subscription] = []
        defer { withExtendedLifetime(subscriptions) {} }
        if waiting {
            subscriptions.append(
                try events.subscribe([.folder(reader.folder.path, mask: Self.mask)]) { signal.yield() }
            )
        }
        var place = position ?? .beginning
        var watched: ProcessIdentity?
        var next = changes.makeAsyncIterator()
        while true {
            let state = try await worker.run { () throws(LocalError) in try RunState.read(reader.folder) }
            guard let state, state.record.reference == reference else {
                throw LocalError(.gone, "the run isn't there any more")
            }
            if waiting, case .supervised(let status) = state.life, watched != status.supervisor {
                // Its end without a word changes no file.
                watched = status.supervisor
                subscriptions.append(try events.subscribe([.process(status.supervisor)]) { signal.yield() })
            }
            let isOver = state.isOver
            place = try await deliverAll(reader, from: place, isOver: isOver, deliver)
            guard waiting, !isOver else { return }
            guard await next.next() != nil, !Task.isCancelled else {
                throw LocalError(.cancelled, "cancelled while following a bot's output")
            }
        }
    }

    /// Delivers what there is.
    private func deliverAll(
        _ reader: OutputReader,
        from start: OutputReader.Position,
        isOver: Bool,
        _ deliver: @Sendable (OutputBatch) async throws -> Void
    ) async throws(LocalError) -> OutputReader.Position {
        var place = start
        var hasGap = false
        while true {
            let from = place
            let portion = try await worker.run { () throws(LocalError) in
                try reader.portion(after: from, isOver: isOver)
            }
            place = portion.position
            hasGap = hasGap || portion.hasGap
            if !portion.lines.isEmpty || (hasGap && portion.isLast) {
                let batch = OutputBatch(lines: portion.lines, position: place.text, hasGap: hasGap)
                hasGap = false
                do { try await deliver(batch) } catch {
                    throw LocalError(
                        Task.isCancelled ? .cancelled : .file,
                        "a batch wasn't taken: \(error)",
                        cause: error
                    )
                }
            }
            if portion.isLast { return place }
        }
    }
}

extension RunState {
    /// Whether nothing more will be written.
    fileprivate var isOver: Bool {
        switch life {
        case .ended, .lost: true
        case .unstarted, .starting, .supervised: false
        }
    }
}
