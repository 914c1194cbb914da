import ArgumentParser
import Control
import Foundation
import Model
import Util

/// `runtime schedules run`: a run now, beside the slots.
struct SchedulesRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a schedule now, once, beside its slots.",
        discussion: """
            Writes down that the run is wanted, and prints its name; a bot-scheduler starts it at once, where changes can be watched, or else with its next check. \
            It is given up when none does within 15 minutes. A schedule that is switched off can be run too.

            With --wait it ends as the run did: with its exit code, or 69 when there is none.
            """
    )

    @Argument(help: "The schedule's id.")
    var schedule: String

    @OptionGroup var options: StoreOptions

    @Flag(help: "Wait until the run has ended, and end with its exit code.")
    var wait = false

    /// How often a run is looked at that is waited for.
    private static let pause = Duration.milliseconds(500)
    /// After how long nobody seems to be there to start it.
    private static let patience = Duration.seconds(30)

    func run() async throws {
        let settings = try RunnerSettings.load(flags: options.given, config: options.config, quiet: true)
        let id: BotID
        do throws(DocumentError) { id = try BotID(validating: schedule) } catch {
            throw CommandExit.failing(ExitCode.validationFailure, error)
        }
        let store = try SchedulingParts.open(settings)
        let added: RunRecord
        do throws(StoreError) { added = try await add(try await policy(of: id, store), id, store) } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
        print("\(TextTable.printable(id.text)) \(added.slot)")
        guard wait else { return }
        // Whoever reads it through a pipe wants to see it now.
        fflush(nil)
        do { try await follow(added, store) } catch let error as StoreError {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
    }

    /// The policy of a schedule that can be run.
    private func policy(of id: BotID, _ store: SchedulingParts) async throws(StoreError) -> SchedulePolicy {
        func failure(_ problem: String) -> StoreError { StoreError(.refused, problem) }
        let name = id.text.escapedForMessage
        switch try await store.schedules.schedules([id]).first {
        case nil: throw failure("no schedule \(name) in the store")
        case .off: throw failure("schedule \(name) is switched off, and its document can't be used")
        case .broken(_, let error): throw StoreError(.refused, "\(error)", cause: error)
        case .schedule(let schedule):
            do throws(DocumentError) { return try SchedulePolicy(config: schedule.bot.config, id: id) } catch {
                throw StoreError(.refused, "\(error)", cause: error)
            }
        }
    }

    private func add(
        _ policy: SchedulePolicy,
        _ id: BotID,
        _ store: SchedulingParts
    ) async throws(StoreError) -> RunRecord {
        while true {
            let run = RunRecord.manual(id, policy: policy, at: .now)
            if try await !store.runs.add([run]).isEmpty { return run }
            // Somebody asked for one in this same second.
            do { try await Task.sleep(for: .milliseconds(300)) } catch {
                throw StoreError(.cancelled, "cancelled")
            }
        }
    }

    private func follow(_ added: RunRecord, _ store: SchedulingParts) async throws {
        let clock = ContinuousClock()
        let begin = clock.now
        var isHinted = false
        while true {
            guard let run = try await store.runs.runs([added.key]).first else {
                throw StoreError(.refused, "the run isn't recorded any more")
            }
            if run.phase == .ended { return try end(run) }
            if !isHinted, run.owner.isEmpty, clock.now - begin > Self.patience {
                isHinted = true
                say("not taken up yet: does a bot-scheduler run on this store?")
            }
            guard !run.owner.isEmpty || Timestamp.now < run.startBy.advanced(by: .seconds(300)) else {
                throw StoreError(.unavailable, "no bot-scheduler took the run up")
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func end(_ run: RunRecord) throws {
        guard run.outcome != .succeeded else { return }
        let reason = run.reason.isEmpty ? "" : ": \(run.reason)"
        say("\(run.outcome?.rawValue ?? "ended")\(TextTable.printable(reason))")
        guard let code = run.exitCode else { throw CommandExit.unavailable }
        // One that was stopped in time may have ended well; it wasn't a success all the same.
        throw ExitCode(code == 0 ? 1 : Int32(truncatingIfNeeded: code & 0xFF))
    }

    private func say(_ text: String) {
        // When nobody reads it, the exit code has to do.
        try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8))
    }
}
