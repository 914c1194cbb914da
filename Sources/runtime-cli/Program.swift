import ArgumentParser
import Dispatch
import Glibc
import LocalMode

/// Where the process begins.
@main enum Program {
    /// The first argument that makes this program look after one local bot, as a runner starts it. Not for people, so in no help.
    static let supervise = "local-supervise"

    /// Not `async`: such a main function runs on a thread of the pool, beside a main thread that takes all signals; a supervisor
    /// needs to be alone.
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == supervise { exit(LocalSupervisor.run(Array(arguments.dropFirst()))) }
        MongoCounters.removeStale()
        // What the language itself does for an async main function. It ends with the process, so it isn't loose.
        Task {
            await RuntimeCommand.main()
            exit(0)
        }
        dispatchMain()
    }
}
