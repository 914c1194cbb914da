import Archive
import Entrypoints
import Glibc
import Logging
import Model
public import Runtime
import Util

extension LocalRunner: RunPreparing {
    /// Brings the code here and checks that it holds the entrypoint and that this machine has what runs it.
    public func prepare(_ spec: LaunchSpec) async throws(RunnerError) {
        try await code.withCode(of: spec.executable.custom) { (archive) throws(RunnerError) in
            try self.check(archive, spec)
        }
    }
}

extension LocalRunner {
    /// Makes a run's folder with a copy of the code, and has a supervisor start the bot in it.
    public func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        try await code.withCode(of: spec.executable.custom) { (archive) async throws(RunnerError) in
            try self.check(archive, spec)
            do throws(LocalError) { try await self.start(spec, attempt, archive) } catch {
                let code: RunnerError.Code = error.code == .damaged ? .codeInvalid : .failedToStart
                throw error.runnerError(code, "starting bot \(spec.id.text.escapedForMessage)")
            }
        }
    }

    /// A program whose entrypoint isn't in its code can't start, however often it is tried.
    private func check(_ archive: CodeArchive, _ spec: LaunchSpec) throws(RunnerError) {
        try interpreters.check(spec)
        var file = Substring(spec.entrypoint)
        if spec.runtime.entrypoint == .jvm { file = file.prefix { $0 != ":" } }
        while file.hasPrefix("./") { file = file.dropFirst(2) }
        guard !archive.files.contains(String(file)) else { return }
        throw RunnerError(
            .codeInvalid,
            "bot \(spec.id.text.escapedForMessage): entrypoint \(spec.entrypoint.escapedForMessage) is not among the "
                + "\(archive.files.count) files of its code"
        )
    }

    private func start(_ spec: LaunchSpec, _ attempt: Int, _ archive: CodeArchive) async throws(LocalError) {
        let name = DataFolder.name(of: spec.executable)
        let folder = data.run(name)
        let lock = try await RunLock.acquire("\(data.locks)/\(name)", worker: worker)
        // No other slot's end takes away what this one is to keep, before it can be seen that this one is there.
        let stateName = DataFolder.stateName(kind: spec.executable.kind, id: spec.id)
        let stateLock = try await RunLock.acquire("\(data.locks)/\(stateName)", worker: worker)
        defer { withExtendedLifetime((lock, stateLock)) {} }
        let standing = try await worker.run { () throws(LocalError) in try RunState.read(folder) }
        if let standing, try LocalRunner.runsAlready(standing, spec) { return }
        let staged = RunFolder(path: "\(data.staging)/\(name).\(UInt64.random(in: 0...UInt64.max))")
        do throws(LocalError) {
            try await worker.run { () throws(LocalError) in try self.fill(staged, name, spec, attempt, archive) }
            if let standing { try await clear(standing) }
            guard !Task.isCancelled else { throw LocalError(.cancelled, "cancelled") }
        } catch {
            await discard(staged)
            throw error
        }
        // From here on the bot may run: a cancellation doesn't break it off.
        try await shielded { () async throws(LocalError) in
            try await self.place(staged, as: folder, spec)
        }
    }

    /// Whether what stands there is what is asked for; an error when it is something else that lives, or a slot's that ever did.
    private static func runsAlready(_ standing: RunState, _ spec: LaunchSpec) throws(LocalError) -> Bool {
        switch standing.life {
        case .supervised where spec.executable.kind == .scheduled, .ended where spec.executable.kind == .scheduled,
            .lost where spec.executable.kind == .scheduled:
            throw LocalError(
                .busy,
                "its slot was started before, as \(standing.folder.path) tells, and isn't again until that is removed"
            )
        case .supervised:
            if standing.record.hash == spec.hash { return true }
            throw LocalError(.busy, "\(standing.folder.path) runs from another specification")
        case .starting: throw LocalError(.busy, "\(standing.folder.path) is just being started")
        case .ended, .lost, .unstarted: return false
        }
    }

    /// Gives the folder its name, which can be given once, and has the bot started.
    private func place(_ staged: RunFolder, as folder: RunFolder, _ spec: LaunchSpec) async throws(LocalError) {
        do throws(LocalError) {
            try await worker.run { () throws(LocalError) in
                guard rename(staged.path, folder.path) == 0 else {
                    throw errno == ENOTEMPTY || errno == EEXIST
                        ? LocalError(.busy, "\(folder.path) is there again") : .system("can't make", folder.path)
                }
            }
        } catch {
            await discard(staged)
            throw error
        }
        do throws(LocalError) { try await launch(folder) } catch {
            if spec.executable.kind == .scheduled {
                await withdraw(folder)
                throw error
            }
            if let state = try? await worker.run({ () throws(LocalError) in try RunState.read(folder) }) {
                try? await end(state, grace: .zero)
            }
            await discard(folder)
            throw error
        }
        logger.debug("started", metadata: ["bot": "\(spec.id)", "folder": "\(folder.path)"])
    }

    /// Removes the run of a slot whose start has failed, unless it may have run: what is removed could be run once more.
    private func withdraw(_ folder: RunFolder) async {
        do throws(LocalError) {
            guard let state = try await worker.run({ () throws(LocalError) in try RunState.read(folder) }) else {
                return
            }
            // A supervisor that has failed is gone in a moment.
            try await waitForStatus(of: state)
            guard let now = try await worker.run({ () throws(LocalError) in try RunState.read(folder) }) else { return }
            if case .unstarted = now.life { return try await clear(now) }
            logger.warning(
                "a start that failed may have run, it is left as it is",
                metadata: ["folder": "\(folder.path)"]
            )
        } catch {
            logger.warning(
                "a start that failed can't be removed",
                metadata: ["folder": "\(folder.path)", "error": "\(error)"]
            )
        }
    }

    /// Makes everything a run has before it has its name; blocks.
    private func fill(
        _ folder: RunFolder,
        _ name: String,
        _ spec: LaunchSpec,
        _ attempt: Int,
        _ archive: CodeArchive
    ) throws(LocalError) {
        try SystemFile.makeFolder(folder.path)
        do throws(ArchiveError) { try unpack(tar: archive.path, into: folder.code) } catch {
            // The system's refusals are said to be `io`; everything else is about the archive.
            throw LocalError(error.code == .io ? .file : .damaged, "unpacking the code: \(error.message)", cause: error)
        }
        for path in [folder.scripts, folder.temporary] { try SystemFile.makeFolder(path) }
        for file in spec.runtime.entrypoint.files {
            try SystemFile.create(
                "\(folder.scripts)/\(file.name)",
                Array(file.contents.utf8),
                mode: file.executable ? 0o555 : 0o444
            )
        }
        let state = try makeState(spec)
        let random =
            String(UInt64.random(in: 0...UInt64.max), radix: 36) + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let reference = "\(name).\(random)"
        let orders = groups.orders(reference, spec.resources, processLimit: spec.sandbox.processLimit)
        let record = RunRecord(
            reference: reference,
            id: spec.id,
            kind: spec.executable.kind,
            slot: spec.executable.slot,
            hash: spec.hash,
            attempt: attempt,
            createdAt: .now,
            boot: try ProcessIdentity.bootID(),
            groups: orders.map(\.path)
        )
        // The place it will have: the folder gets its name only when it is whole.
        let place = BotPlace(
            run: data.run(name),
            state: state,
            confinement: settings.confinement,
            path: interpreters.path
        )
        let order = LaunchOrder(
            command: place.command(spec, bubblewrap: bubblewrap),
            environment: place.environment(spec, marker: record.marker),
            directory: place.run.code,
            groups: orders,
            memoryLimit: spec.resources.memoryLimit,
            descriptorLimit: settings.descriptorLimit,
            noNewPrivileges: spec.sandbox.noNewPrivileges,
            isNested: bubblewrap != nil,
            grace: settings.stopGrace.milliseconds,
            logFileSize: settings.logFileSize,
            logFileCount: Int64(settings.logFileCount)
        )
        try JSONFile.replace(folder.launch, order.json)
        try JSONFile.replace(folder.record, record.json)
    }

    /// Makes the folder of what the bot keeps, and notes whose it is; blocks.
    private func makeState(_ spec: LaunchSpec) throws(LocalError) -> String {
        let state = StateFolder(path: "\(data.states)/\(DataFolder.stateName(kind: spec.executable.kind, id: spec.id))")
        try state.make(kind: spec.executable.kind, id: spec.id)
        return state.content
    }

    /// Removes what was made for nothing.
    func discard(_ folder: RunFolder) async {
        // Also when this task was cancelled.
        await shielded {
            do throws(LocalError) {
                try await self.worker.run { () throws(LocalError) in try FolderTree.remove(folder.path) }
            } catch {
                self.logger.warning(
                    "a folder made for nothing can't be removed",
                    metadata: ["folder": "\(folder.path)", "error": "\(error)"]
                )
            }
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1000).partialValue + (attoseconds + 999_999_999_999_999)
            / 1_000_000_000_000_000
    }
}
