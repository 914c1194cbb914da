import ArgumentParser
import Control
import Foundation
import Logs
import Model
import Runtime
import Synchronization
import Util

/// `runtime logs`: what a bot has written.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Shows what a bot has written.",
        discussion: """
            From the object store what is stored, from this machine what isn't yet, from the engine what is newer; every line \
            once. A line goes to standard output or standard error, as the bot wrote it.

            Examples:
              runtime logs my-bot --tail 100 --follow
              runtime logs my-bot --since 1h --timestamps
              runtime logs my-bot --previous --output json
            """
    )

    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: "The bot's id.")
    var bot: String

    @OptionGroup var options: LiveOptions

    @Flag(name: .shortAndLong, help: "Go on with what is written, until Ctrl-C.")
    var follow = false

    @Option(help: ArgumentHelp("Only from then on: 10m, or 2026-01-02T03:04:05Z.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only so many of the last lines.", valueName: "count"))
    var tail: Int?

    @Flag(name: .shortAndLong, help: "The run before the current one.")
    var previous = false

    @Flag(name: .shortAndLong, help: "Each line with the time it was written at.")
    var timestamps = false

    @Option(help: "text as the bot wrote it, or json as it is stored: an object a line.")
    var output: Output = .text

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail: expected 0 or more") }
        if follow, previous { throw ValidationError("--previous has an end: it can't be followed") }
        _ = try instant()
    }

    private func instant() throws -> Timestamp? {
        guard let since else { return nil }
        if let duration = try? GoDuration.parse(since, minimum: .zero) {
            return Timestamp.now.advanced(by: .zero - duration)
        }
        do { return try RFC3339.parse(since) } catch {
            throw ValidationError("--since: expected a duration as 10m, or a time as 2026-01-02T03:04:05Z")
        }
    }

    func run() async throws {
        let settings = try RunnerSettings.load(flags: options.given, config: options.config, quiet: true)
        let id: BotID
        do throws(DocumentError) { id = try BotID(validating: bot) } catch {
            throw CommandExit.failing(ExitCode.validationFailure, error)
        }
        let assembly = try await RunnerAssembly(settings)
        let subject = await subject(id, assembly)
        let reader = LogReader(
            storage: assembly.parts.logStorage,
            spoolPath: LogCollection.spool(settings, subject.role),
            follower: assembly.parts.backend.runner
        )
        let request = LogReader.Request(
            id: id,
            kind: subject.role.kind,
            since: try instant(),
            tail: tail,
            previous: previous,
            follow: follow,
            masking: try masking(subject, settings)
        )
        let printer = LinePrinter(output: output, timestamps: timestamps)
        do { try await reader.read(request) { try printer.print($0) } } catch let error as BrokenPipe {
            // Whoever read it has seen enough, as `head` does.
            throw ExitCode(error.code)
        } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
        if !printer.hasPrinted, !follow { try explainSilence(subject) }
    }

    /// What the store has of an id.
    private struct Subject {
        /// Which service runs it.
        var role = ServiceParts.Role.runner
        /// Its parameters, where they can be read.
        var config: JSONObject?
        /// Why it isn't there.
        var absence: (any Error)?
    }

    /// Looks for a live bot of the id, and then for a schedule.
    private func subject(_ id: BotID, _ assembly: RunnerAssembly) async -> Subject {
        do throws(StoreError) {
            switch try await assembly.store.bots.bot(id) {
            case .bot(let bot): return Subject(config: bot.config)
            case .off, .broken: return Subject()
            case nil: break
            }
            let store = try SchedulingParts(assembly.settings.store, logger: assembly.parts.logger)
            switch try await store.schedules.schedules([id]).first {
            case .schedule(let schedule): return Subject(role: .scheduler, config: schedule.bot.config)
            case .off, .broken: return Subject(role: .scheduler)
            case nil: return Subject(absence: UnknownBot(id: id))
            }
        } catch {
            return Subject(absence: error)
        }
    }

    /// What is masked when it is collected is masked when it comes from the engine.
    private func masking(_ subject: Subject, _ settings: RunnerSettings) throws -> LogMasking? {
        guard settings.logs.isMasked else { return nil }
        // Unmasked it isn't shown.
        if let error = subject.absence as? StoreError { throw CommandExit.failing(CommandExit.unavailable, error) }
        return subject.config.map { LogMasking(config: $0) }
    }

    /// Tells a bot that is silent from one that isn't there.
    private func explainSilence(_ subject: Subject) throws {
        if let absence = subject.absence { throw CommandExit.failing(CommandExit.unavailable, absence) }
    }
}

/// No bot of this id, and nothing that one has written.
private struct UnknownBot: Error, CustomStringConvertible {
    let id: BotID

    var description: String {
        "no bot \(id.text.escapedForMessage): it is neither in the store nor has it written anything"
    }
}

/// Nobody reads any more.
private struct BrokenPipe: Error {
    let code: Int32 = 0
}

/// Prints lines in the order they come.
private final class LinePrinter: Sendable {
    private let output: LogsCommand.Output
    private let timestamps: Bool
    private let printed = Atomic(false)

    init(output: LogsCommand.Output, timestamps: Bool) {
        self.output = output
        self.timestamps = timestamps
    }

    var hasPrinted: Bool { printed.load(ordering: .relaxed) }

    func print(_ line: LogLine) throws {
        printed.store(true, ordering: .relaxed)
        var bytes: [UInt8] = []
        var handle = FileHandle.standardOutput
        switch output {
        case .json: bytes = line.bytes
        case .text:
            if timestamps { bytes += "\(line.time.map { "\($0)" } ?? "-") ".utf8 }
            bytes += line.text.utf8
            if line.stream == .stderr { handle = .standardError }
        }
        bytes.append(UInt8(ascii: "\n"))
        do { try handle.write(contentsOf: bytes) } catch { throw BrokenPipe() }
    }
}
