import ArgumentParser
import LocalMode

/// `runtime local-supervise`: looks after one bot that runs as a local process. Started by the runner, not by people.
struct LocalSuperviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "local-supervise",
        abstract: "Looks after one local bot; started by the runner.",
        shouldDisplay: false
    )

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func run() throws { throw ExitCode(LocalSupervisor.run(arguments)) }
}
