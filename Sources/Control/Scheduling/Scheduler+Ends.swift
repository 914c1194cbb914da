import Logging
import Model
public import Runtime
import Synchronization
import Util

extension Scheduler {
    /// How long a result that can't be stored is kept where it is.
    private static let resultPatience: Duration = .seconds(86_400)

    /// Takes the result out of a run that has ended, and stores it.
    func settle(_ record: RunRecord, _ run: ObservedRun) async throws -> NextLook {
        var next: RunRecord
        do {
            let state = try await stored(record, run)
            next = record.next { $0.result = state }
        } catch let error as RunnerError where error.code == .refused {
            next = lost(record, error.message)
        } catch let error as RunnerError where error.code == .gone {
            next = lost(record, "the run was removed before its result was read")
        } catch {
            guard let end = record.endedAt, clock.now.duration(since: end) > Self.resultPatience else { throw error }
            next = lost(record, "\(error)")
        }
        if next.result == .lost {
            logger.error(
                "result lost",
                metadata: [
                    "schedule": "\(record.id)", "slot": "\(SlotPlan.text(record.slot))", "reason": "\(next.reason)",
                ]
            )
        }
        _ = try await runs.replace(next)
        return .again
    }

    private func lost(_ record: RunRecord, _ reason: String) -> RunRecord {
        record.next { run in
            run.result = .lost
            run.reason += "\(run.reason.isEmpty ? "" : "; ")result: \(reason)"
        }
    }

    private func stored(_ record: RunRecord, _ run: ObservedRun) async throws -> RunRecord.Result {
        guard let results, run.exit != nil, let bytes = try await runner.result(of: run, limit: options.largestResult)
        else { return .none }
        // A newer run's result isn't replaced by an older one that was held up.
        let newer = try await runs.history(of: record.id, limit: options.history).contains {
            $0.slot > record.slot && ($0.result == .stored)
        }
        if newer { return .superseded }
        try await results.store(bytes, of: record.id)
        return .stored
    }

    /// Stops every run on this platform, all at the same time; for a scheduler that takes its runs along.
    /// - Throws: the first `RunnerError`, after all were tried.
    public func stopRuns() async throws(RunnerError) {
        let running = try await runner.runs(of: .scheduled).filter(\.isRunning)
        let outcomes = await withTaskGroup(of: Result<Void, RunnerError>.self) { group in
            for run in running {
                group.addTask {
                    await self.noteShutdown(run)
                    return await Result { () async throws(RunnerError) in try await self.runner.stop(run) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for outcome in outcomes { try outcome.get() }
    }

    /// Says in a run's record why it is stopped; a run is stopped all the same where that can't be written.
    private func noteShutdown(_ run: ObservedRun) async {
        guard let key = run.key else { return }
        do throws(StoreError) {
            guard let record = try await runs.runs([key]).first, record.stop == nil else { return }
            _ = try await runs.replace(record.next { $0.stop = .shutdown })
        } catch {
            logger.warning(
                "can't write why a run is stopped",
                metadata: ["schedule": "\(key.id)", "error": "\(error)"]
            )
        }
    }
}
