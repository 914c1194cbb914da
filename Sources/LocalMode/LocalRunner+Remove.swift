import Glibc
import Logging
import Model
public import Runtime
import Synchronization

extension LocalRunner {
    /// Ends a run with SIGTERM, after the grace with SIGKILL for its whole tree, and removes its folder; the bot's state stays.
    public func remove(_ run: ObservedRun) async throws(RunnerError) {
        do throws(LocalError) { try await remove(reference: run.reference) } catch {
            throw error.runnerError(.notStopped, "removing the run \(run.reference)")
        }
    }

    private func remove(reference: String) async throws(LocalError) {
        let folder = try folder(ofReference: reference)
        let lock = try await RunLock.acquire("\(data.locks)/\(folder.name)", worker: worker)
        defer { withExtendedLifetime(lock) {} }
        guard let state = try await read(folder, reference) else { return }
        try await end(state, grace: settings.stopGrace)
        guard let ended = try await worker.run({ () throws(LocalError) in try RunState.read(folder) }) else { return }
        try await clear(ended)
    }

    /// Where a run of this reference lies.
    func folder(ofReference reference: String) throws(LocalError) -> RunFolder {
        guard let name = DataFolder.name(ofReference: reference) else {
            throw LocalError(.damaged, "\(reference.escapedForMessage) is no run of this runner")
        }
        return data.run(name)
    }

    /// The run of this reference; nil when it is gone, and another may be in its place.
    func read(_ folder: RunFolder, _ reference: String) async throws(LocalError) -> RunState? {
        guard let state = try await worker.run({ () throws(LocalError) in try RunState.read(folder) }),
            state.record.reference == reference
        else { return nil }
        return state
    }

    /// Removes what is left of a run that has no supervisor any more, after its output was read and its processes are gone.
    func clear(_ state: RunState) async throws(LocalError) {
        switch state.life {
        case .starting, .supervised: throw LocalError(.notEnded, "\(state.folder.path) still has a supervisor")
        case .unstarted:
            // One that is on its way finds the lock taken, and later its file gone.
            let lock = try await worker.run { () throws(LocalError) in try SupervisorLock.take(state.folder) }
            guard let lock, !SystemFile.exists(state.folder.begun) else {
                throw LocalError(.busy, "\(state.folder.path) has got a supervisor just now")
            }
            defer { withExtendedLifetime(lock) {} }
            return try await bury(state)
        case .lost, .ended: break
        }
        try await readFinally(state)
        try await bury(state)
    }

    private func bury(_ state: RunState) async throws(LocalError) {
        try await endOrphans(state)
        try await shielded { () async throws(LocalError) in
            try await self.worker.run { () throws(LocalError) in
                guard state.tree.removeGroups() else {
                    throw LocalError(.notEnded, "its control groups \(state.record.groups) can't be removed")
                }
                // Out of sight in one step: what is half removed is nobody's run.
                let grave = "\(self.data.staging)/\(state.folder.name).\(UInt64.random(in: 0...UInt64.max))"
                guard rename(state.folder.path, grave) == 0 || errno == ENOENT else {
                    throw .system("can't move away", state.folder.path)
                }
                try FolderTree.remove(grave)
            }
        }
    }

    /// Ends whatever a run has, its supervisor last.
    func end(_ state: RunState, grace: Duration) async throws(LocalError) {
        switch state.life {
        case .unstarted, .ended, .lost: break
        case .starting:
            // It has said nothing yet; who it is follows from what it locks, which is soon followed by its status.
            try await waitForStatus(of: state)
            if let next = try await worker.run({ () throws(LocalError) in try RunState.read(state.folder) }),
                next.record.reference == state.record.reference
            {
                if case .starting = next.life {
                    throw LocalError(.notEnded, "its supervisor doesn't say which process it is")
                }
                try await end(next, grace: grace)
            }
        case .supervised(let status):
            try await stop(state.folder, status.supervisor, grace: grace)
        }
    }

    /// The supervisor starts a bot in a tenth of a second, or fails.
    func waitForStatus(of state: RunState) async throws(LocalError) {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let next = try await worker.run { () throws(LocalError) in try RunState.read(state.folder) }
            guard let next, case .starting = next.life else { return }
            try await pause(.milliseconds(20))
        }
    }

    private func stop(_ folder: RunFolder, _ supervisor: ProcessIdentity, grace: Duration) async throws(LocalError) {
        try await worker.run { () throws(LocalError) in
            // Without room for it the grace is that of the start.
            try? JSONFile.replace(folder.stop, ["grace": .integer(grace.milliseconds)])
            supervisor.send(SIGTERM)
        }
        if try await isGone(supervisor, within: grace + .seconds(10)) { return }
        logger.warning("a supervisor doesn't end its bot, ending both", metadata: ["folder": "\(folder.path)"])
        _ = try await worker.run { () throws(LocalError) in supervisor.send(SIGKILL) }
        guard try await isGone(supervisor, within: .seconds(10)) else {
            throw LocalError(.notEnded, "its supervisor, process \(supervisor.pid), can't be killed")
        }
    }

    /// Waits for a process's end.
    /// - Returns: whether it came within the time.
    private func isGone(_ process: ProcessIdentity, within limit: Duration) async throws(LocalError) -> Bool {
        let (ends, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let subscription = try events.subscribe([.process(process)]) { signal.yield() }
        defer { withExtendedLifetime(subscription) {} }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in ends where !process.isRunning { return } }
            // Cancelled when the end came first.
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        guard !Task.isCancelled else { throw LocalError(.cancelled, "cancelled while a bot ends") }
        return !process.isRunning
    }

    /// Ends what is left of a run whose supervisor was killed; nothing is left of one that it ended.
    func endOrphans(_ state: RunState) async throws(LocalError) {
        let isGone = try await worker.run { () throws(LocalError) in
            var bot: ProcessIdentity?
            switch state.life {
            case .ended: return true
            case .lost(let status): bot = status?.boot == (try ProcessIdentity.bootID()) ? status?.bot : nil
            case .unstarted, .starting, .supervised: break
            }
            return state.tree.endOrphans(bot, marker: state.record.marker, within: .seconds(10))
        }
        guard isGone else { throw LocalError(.notEnded, "processes of \(state.folder.path) can't be killed") }
    }

    /// Has the output of a run that has ended read to its end, for a bounded time.
    private func readFinally(_ state: RunState) async throws(LocalError) {
        guard let reader = finalReader.withLock({ $0 }) else { return }
        let run: ObservedRun? = try await worker.run { () throws(LocalError) in
            switch state.life {
            case .ended, .lost: try state.observed()
            case .unstarted, .starting, .supervised: nil
            }
        }
        guard let run else { return }
        let limit = settings.finalReadLimit
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reader.readToEnd(of: run) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func pause(_ time: Duration) async throws(LocalError) {
        do { try await Task.sleep(for: time) } catch { throw LocalError(.cancelled, "cancelled", cause: error) }
    }
}
