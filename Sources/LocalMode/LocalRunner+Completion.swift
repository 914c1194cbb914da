import Model
public import Runtime

extension LocalRunner: CompletionRunner {
    /// This machine's id, a mark in the folder of this instance's runs, and the instance, as `local/MACHINE/MARK/INSTANCE`.
    ///
    /// Two small files are read each time, so that another folder at the same path is noticed.
    public func platform() async throws(RunnerError) -> String {
        do throws(LocalError) {
            return try await worker.run { () throws(LocalError) in
                "local/\(try FolderMark.machine())/\(try FolderMark.read(self.data.mark))/\(self.instance)"
            }
        } catch {
            throw error.runnerError(.unavailable, "asking for the mark of the directory of runs")
        }
    }

    /// Ends a run with SIGTERM, after the grace with SIGKILL for its whole tree, and leaves its folder.
    public func stop(_ run: ObservedRun) async throws(RunnerError) {
        do throws(LocalError) { try await stop(reference: run.reference) } catch {
            throw error.runnerError(.notStopped, "stopping the run \(run.reference)")
        }
    }

    private func stop(reference: String) async throws(LocalError) {
        let folder = try folder(ofReference: reference)
        let lock = try await RunLock.acquire("\(data.locks)/\(folder.name)", worker: worker)
        defer { withExtendedLifetime(lock) {} }
        guard let state = try await read(folder, reference) else { return }
        try await end(state, grace: settings.stopGrace)
        guard let ended = try await read(folder, reference) else { return }
        switch ended.life {
        case .ended: return
        case .lost: try await endOrphans(ended)
        case .unstarted: throw LocalError(.notEnded, "it was made and never started: there is nothing to end")
        case .starting, .supervised: throw LocalError(.notEnded, "\(folder.path) still has a supervisor")
        }
    }

    /// The result that an ended run left in its folder.
    public func result(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [UInt8]? {
        let doing = "taking /bot/result.json of the run \(run.reference)"
        let found: Result<[UInt8]?, RunnerError>
        do throws(LocalError) {
            let folder = try folder(ofReference: run.reference)
            try await requireEnd(folder, run.reference)
            found = try await worker.run {
                do throws(ResultFile.Failure) {
                    return .success(try ResultFile.read(in: folder.code, limit: limit))
                } catch {
                    switch error {
                    case .refused(let reason): return .failure(RunnerError(.refused, "\(doing): it \(reason)"))
                    case .system(let error): return .failure(error.runnerError(.unavailable, doing))
                    }
                }
            }
            // Removed and perhaps run again meanwhile: what was read isn't known to be its own.
            try await requireEnd(folder, run.reference)
        } catch {
            throw error.runnerError(.unavailable, doing)
        }
        return try found.get()
    }

    private func requireEnd(_ folder: RunFolder, _ reference: String) async throws(LocalError) {
        guard let state = try await read(folder, reference) else {
            throw LocalError(.gone, "the run isn't there any more")
        }
        switch state.life {
        case .ended, .lost: return
        case .unstarted, .starting, .supervised: throw LocalError(.busy, "the run hasn't ended")
        }
    }
}
