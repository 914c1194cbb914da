import Control
import Glibc
import Model
import Util

extension ScheduleFiles {
    /// Changes what is kept of some schedules, each by itself and none while another process changes it.
    ///
    /// Goes on after a failure, so that a schedule whose file can't be used keeps no other from being written.
    /// - Parameters:
    ///   - ids: the schedules, each once.
    ///   - change: what to do; what it returns counts only once it is on the disk.
    /// - Returns: what the changes returned, in no order.
    /// - Throws: the first failure; which of the others were changed isn't told then.
    func update<Value: Sendable>(_ ids: [BotID], _ change: @escaping @Sendable (inout ScheduleState) -> Value)
        async throws(StoreError) -> [Value]
    {
        guard !ids.isEmpty else { return [] }
        try await blocking { files throws(StateProblem) in try files.makeFolder() }
        let parts = (0..<min(ids.count, Self.parallelWrites)).map { first in
            stride(from: first, to: ids.count, by: Self.parallelWrites).map { ids[$0] }
        }
        let results = await withTaskGroup(of: Result<[Value], StoreError>.self) { group in
            for part in parts {
                group.addTask {
                    do throws(StoreError) {
                        return .success(
                            try await self.blocking { files throws(StateProblem) in try files.updateInTurn(part, change)
                            }
                        )
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var values: [Value] = []
        for result in results { values += try result.get() }
        return values
    }

    /// Makes calls that block, off Swift's cooperative pool.
    func blocking<Value: Sendable>(_ body: @escaping @Sendable (ScheduleFiles) throws(StateProblem) -> Value)
        async throws(StoreError) -> Value
    {
        do { return try await executor.blocking { try body(self) } } catch let error as StateProblem {
            throw error.storeError(in: root)
        } catch {
            throw StoreError(.cancelled, "\(root.escapedForMessage) was left alone: cancelled", cause: error)
        }
    }

    /// Makes the folder that everything is kept in, unless it is there. Blocks.
    func makeFolder() throws(StateProblem) {
        guard try !checkFolder() else { return }
        var parent = ""
        for folder in [BotDirectory.ownFolder, StateFile.folder] {
            if mkdir("\(root)/\(folder)", 0o755) == 0 {
                try StateFile.synchronize(parent, in: root)
            } else if errno != EEXIST {
                throw .system("can't be made", folder, errno)
            }
            parent = folder
        }
        // Remembers where it was made.
        guard try checkFolder() else { throw .system("can't be made", StateFile.folder, ENOTDIR) }
    }

    /// Makes sure that files can be made here. Blocks.
    func checkWriting() throws(StateProblem) {
        try makeFolder()
        let path = "\(root)/\(StateFile.temporary(for: "\(StateFile.folder)/check"))"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .system("can't be written", StateFile.folder, errno) }
        close(descriptor)
        unlink(path)
    }

    private func updateInTurn<Value>(_ ids: [BotID], _ change: (inout ScheduleState) -> Value) throws(StateProblem)
        -> [Value]
    {
        var values: [Value] = []
        var failure: StateProblem?
        var isWritten = false
        for id in ids {
            do throws(StateProblem) {
                let (value, isChanged) = try update(id, change)
                values.append(value)
                isWritten = isWritten || isChanged
            } catch {
                failure = failure ?? error
            }
        }
        if isWritten { try StateFile.synchronize(StateFile.folder, in: root) }
        if let failure { throw failure }
        return values
    }

    private func update<Value>(_ id: BotID, _ change: (inout ScheduleState) -> Value) throws(StateProblem)
        -> (value: Value, isChanged: Bool)
    {
        let lock = try StateLock(root: root, file: StateFile.lock(of: id), patience: patience)
        let name = StateFile.name(of: id)
        let before = try read(name, id) ?? ScheduleState(id: id)
        var state = before
        let value = change(&state)
        guard state != before else { return (value, false) }
        let text = state.text
        guard text.utf8.count <= StateFile.longest else {
            throw StateProblem("would become longer than \(StateFile.longest) bytes", file: StateFile.path(of: id))
        }
        try StateFile.replace(StateFile.path(of: id), in: root, with: text, holding: lock)
        files.saw(name)
        return (value, true)
    }
}
