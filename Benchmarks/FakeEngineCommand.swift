import ArgumentParser
import Foundation
import Model
import TestSupport

/// The recorded fake engine as a process of its own, so that its work isn't counted as the program's.
struct FakeEngineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fake-engine",
        abstract: "Serves recorded answers of a Docker engine on a unix socket.",
        shouldDisplay: false
    )

    @Option var socket: String
    @Option var folder: String

    func run() async throws {
        let server = try FakeEngineServer(socket: socket, answers: FakeEngineAnswers(folder: folder))
        server.serve()
    }
}
