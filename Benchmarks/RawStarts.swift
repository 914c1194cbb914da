import Foundation
import Model
import TestSupport
import Util

/// Containers like the program's, created and started straight through the engine's API: the floor.
struct RawStarts: Sendable {
    let api: EngineAPI
    let recording: Recording
    let events: EngineEvents

    private var mark: (name: String, value: String) { (BenchEnvironment.label, recording.run) }

    /// How long a number of them takes from the first request to the first and the last `start` event.
    func all(_ count: Int, concurrency: Int) async throws -> (first: Double, last: Double) {
        let begin = Timestamp.now
        try await eachAtMost(concurrency, Array(1...count)) { number in
            let name = "\(recording.run)-raw-\(number)"
            try await api.start(try await api.create(recording.request(name), name: name))
        }
        let started = try await events.wait(for: count, "start", since: begin, label: mark)
        try await remove()
        guard let first = started.first, let last = started.last else { throw FixtureError("no container started") }
        return (first.time.seconds(since: begin), last.time.seconds(since: begin))
    }

    /// How long one of them takes from the request to its `start` event.
    func one() async throws -> Double { try await all(1, concurrency: 1).last }

    /// The parts of a start that comes with an upload of the code, in seconds.
    func parts() async throws -> (create: Double, upload: Double, start: Double) {
        let name = "\(recording.run)-raw-parts"
        let clock = ContinuousClock()
        var id = ""
        // Without the code in the image, as the program's.
        let image = recording.details["Config"]?.object?["Image"]?.string
        let request = recording.request(name, image: image)
        let create = try await clock.measure { id = try await api.create(request, name: name) }
        let container = id
        let upload = try await clock.measure { try await Recording.upload(recording.code, to: container, api: api) }
        let start = try await clock.measure { try await api.start(container) }
        try await remove()
        return (create.inSeconds, upload.inSeconds, start.inSeconds)
    }

    private func remove() async throws {
        try await api.removeAll(label: "\(BenchEnvironment.label)=\(recording.run)", keepingNetworks: true)
    }
}
