import Foundation
import HTTP
import Model
import Runtime
import TestSupport

/// A recorded fake engine with a fleet of bots that all are as they should be, in a process of its own.
final class FakeEngine: Sendable {
    /// What it was asked so far.
    struct Counters: Sendable {
        let listsOfAll: Int64
        let listsOfOne: Int64
        let inspections: Int64
        let writes: Int64
    }

    let address: String
    private let process: ChildProcess
    private let api: EngineAPI
    private let folder: TemporaryFolder

    /// Starts one whose containers are those of the bots, by the hashes that the program itself works out.
    init(_ recording: Recording, bots: [BotEntry], instance: String) async throws {
        let builder = LaunchSpecBuilder()
        let lines = try bots.map { bot in
            let spec = try builder.spec(for: Executable(try Bot(document: bot.document)))
            return "\(bot.id)\t\(spec.hash)\t\(instance)\n"
        }
        folder = try TemporaryFolder()
        try folder.write("bots.tsv", lines.joined())
        try folder.write("summary.json", JSONValue(recording.summary).text)
        try folder.write("details.json", JSONValue(recording.details).text)
        try folder.write("version.json", recording.version.text)
        try folder.write("info.json", recording.info.text)
        let socket = folder.file("fake.sock")
        address = "unix://\(socket)"
        api = EngineAPI(socket: socket)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process = try ChildProcess(
            [own, "fake-engine", "--socket", socket, "--folder", folder.path],
            output: folder.file("fake.log")
        )
        do {
            try await eventually(within: .seconds(60), "the fake engine answers") {
                if process.termination != nil { throw CancellationError() }
                return try await api.send(.get, "/_ping").status == 200
            }
        } catch {
            let log = (try? String(contentsOfFile: folder.file("fake.log"), encoding: .utf8)) ?? ""
            throw FixtureError("\(error)\n\(log)")
        }
    }

    func counters() async throws -> Counters {
        let object = try await api.send(.get, "/fake/counters").expect(200).json.object ?? [:]
        return Counters(
            listsOfAll: object["listsOfAll"]?.integer ?? -1,
            listsOfOne: object["listsOfOne"]?.integer ?? -1,
            inspections: object["inspections"]?.integer ?? -1,
            writes: object["writes"]?.integer ?? -1
        )
    }

    /// Ends it.
    func stop() async {
        process.killGroup()
        await Task { [process] in _ = await process.ended() }.value
        folder.remove()
    }
}
