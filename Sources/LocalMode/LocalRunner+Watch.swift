import Glibc
import Logging
public import Model
public import Runtime

extension LocalRunner: RunWatching {
    /// Watches the folders of runs and their supervisors until cancelled. What is left of a run whose supervisor was killed is
    /// ended at once: nobody looks after it any more.
    public func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async {
        var attempt = 0
        while !Task.isCancelled {
            do throws(LocalError) {
                try await watchAll(kind, wake: wake)
                return
            } catch {
                guard !Task.isCancelled else { return }
                attempt += 1
                logger.warning("runs can't be watched, trying again", metadata: ["error": "\(error)"])
            }
            // Ends early when cancelled.
            try? await Task.sleep(for: .seconds(min(attempt, 10)))
        }
    }

    private static let folderMask = UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF)
    private static let runMask = UInt32(IN_MOVED_TO | IN_MOVE_SELF)

    /// One run as it is watched.
    private struct Watched {
        var reference: String
        var id: BotID
        var supervisor: ProcessIdentity?
        var subscriptions: [SystemEvents.Subscription]
    }

    private func watchAll(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async throws(LocalError) {
        let (changes, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let all = try events.subscribe([.folder(data.runs, mask: Self.folderMask)]) { signal.yield() }
        defer { withExtendedLifetime(all) {} }
        var watched: [String: Watched] = [:]
        signal.yield()
        var isFirst = true
        for await _ in changes {
            let states = try await worker.run { () throws(LocalError) in try self.states(of: kind) }
            let standing = Set(states.map(\.folder.name))
            for (name, run) in watched where !standing.contains(name) {
                watched[name] = nil
                wake(run.id)
            }
            for state in states {
                watched[state.folder.name] = try update(watched[state.folder.name], state, wake) { signal.yield() }
                if case .lost = state.life { await endLost(state) }
            }
            if isFirst { wake(nil) }
            isFirst = false
        }
    }

    /// Watches what a run has by now.
    private func update(
        _ known: Watched?,
        _ state: RunState,
        _ wake: @escaping @Sendable (BotID?) -> Void,
        _ look: @escaping @Sendable () -> Void
    ) throws(LocalError) -> Watched {
        let id = state.record.id
        let body: @Sendable () -> Void = {
            wake(id)
            look()
        }
        var watched: Watched
        if let known, known.reference == state.record.reference {
            watched = known
        } else {
            watched = Watched(reference: state.record.reference, id: id, subscriptions: [])
            watched.subscriptions.append(try events.subscribe([.folder(state.folder.path, mask: Self.runMask)], body))
            wake(id)
        }
        if case .supervised(let status) = state.life, watched.supervisor != status.supervisor {
            watched.supervisor = status.supervisor
            watched.subscriptions.append(try events.subscribe([.process(status.supervisor)], body))
        }
        return watched
    }

    private func endLost(_ state: RunState) async {
        let name = state.folder.name
        do throws(LocalError) {
            // Who starts or removes it at the moment does the same.
            guard let lock = try await tryLock(name) else { return }
            defer { withExtendedLifetime(lock) {} }
            guard let now = try await worker.run({ () throws(LocalError) in try RunState.read(state.folder) }),
                now.record.reference == state.record.reference, case .lost(let status) = now.life
            else { return }
            let left = try await worker.run { () throws(LocalError) in
                try now.tree.orphans(status?.bot, marker: now.record.marker)
            }
            guard !left.isEmpty else { return }
            logger.warning(
                "the process that looked after a bot was killed: ending the bot",
                metadata: ["bot": "\(state.record.id)", "processes": "\(left.count)"]
            )
            try await endOrphans(now)
        } catch {
            logger.error(
                "what is left of a bot can't be ended",
                metadata: ["bot": "\(state.record.id)", "error": "\(error)"]
            )
        }
    }
}
