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

    @OptionGroup var options: RunnerOptions

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
        let reader = LogReader(
            storage: assembly.logStorage,
            spoolPath: LogCollection.spool(settings),
            follower: assembly.backend.runner
        )
        let request = LogReader.Request(
            id: id,
            since: try instant(),
            tail: tail,
            previous: previous,
            follow: follow,
            masking: try await masking(of: id, assembly)
        )
        let printer = LinePrinter(output: output, timestamps: timestamps)
        do { try await reader.read(request) { try printer.print($0) } } catch let error as BrokenPipe {
            // Whoever read it has seen enough, as `head` does.
            throw ExitCode(error.code)
        } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
        if !printer.hasPrinted, !follow { try await explainSilence(of: id, assembly) }
    }

    /// What is masked when it is collected is masked when it comes from the engine.
    private func masking(of id: BotID, _ assembly: RunnerAssembly) async throws -> LogMasking? {
        guard assembly.settings.logs.isMasked else { return nil }
        do throws(StoreError) {
            guard case .bot(let bot) = try await assembly.store.bots.bot(id) else { return nil }
            return LogMasking(config: bot.config)
        } catch {
            // Unmasked it isn't shown.
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
    }

    /// Tells a bot that is silent from one that isn't there.
    private func explainSilence(of id: BotID, _ assembly: RunnerAssembly) async throws {
        let stored: StoredBot?
        do throws(StoreError) { stored = try await assembly.store.bots.bot(id) } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
        guard stored == nil else { return }
        throw CommandExit.failing(CommandExit.unavailable, UnknownBot(id: id))
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
