import HTTP
import Model
import Synchronization
import TestSupport
import Util

/// What happened to a container, by the engine's own clock.
struct EngineEvent: Sendable {
    let action: String
    let container: String
    let labels: [String: String]
    let time: Timestamp
    /// When it was read here.
    let readAt: Timestamp

    init?(_ line: some Collection<UInt8>) {
        guard let event = try? JSONValue.parse(line).object, let time = event["timeNano"]?.integer,
            let actor = event["Actor"]?.object, let container = actor["ID"]?.string
        else { return nil }
        readAt = Timestamp.now
        action = event["Action"]?.string ?? ""
        self.container = container
        self.time = Timestamp(nanosecondsSince1970: time)
        labels = (actor["Attributes"]?.object?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.string }
    }
}

/// Everything that happens to an engine's containers, as it says so itself.
final class EngineEvents: Sendable {
    private let events = Mutex<[EngineEvent]>([])
    private let onEvent: @Sendable (EngineEvent) -> Void

    private init(_ onEvent: @escaping @Sendable (EngineEvent) -> Void) { self.onEvent = onEvent }

    /// Runs a body while an engine's events are listened to.
    /// - Parameter onEvent: called with each as it comes.
    static func watching<Result: Sendable>(
        _ api: EngineAPI,
        onEvent: @escaping @Sendable (EngineEvent) -> Void = { _ in },
        _ body: @escaping @Sendable (EngineEvents) async throws -> Result
    ) async throws -> Result {
        let watch = EngineEvents(onEvent)
        // The engine sends the head before it begins to listen: what happens in between is asked for by its time.
        let since = String(Timestamp.now.secondsSince1970)
        let filters = JSONValue.object(["type": ["container"]]).text
        let response = try await api.open(
            .get,
            "/events",
            query: [("since", since), ("filters", filters)],
            deadlines: HTTPDeadlines(idle: nil)
        )
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await watch.read(response.body)
                throw FixtureError("the engine ended its event stream")
            }
            group.addTask { try await body(watch) }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private func read(_ body: HTTPResponseBody) async throws {
        var rest: [UInt8] = []
        for try await piece in body {
            rest += piece
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                if let event = EngineEvent(rest[..<end]) {
                    events.withLock { $0.append(event) }
                    onEvent(event)
                }
                rest.removeSubrange(...end)
            }
        }
    }

    /// The events of an action since a time, of the containers that a label's value marks.
    func all(_ action: String, since: Timestamp, label: (name: String, value: String)) -> [EngineEvent] {
        events.withLock { events in
            events.filter { $0.action == action && $0.time >= since && $0.labels[label.name] == label.value }
        }
    }

    /// Waits until there are so many of them.
    /// - Returns: them, the earliest first.
    func wait(
        for count: Int,
        _ action: String,
        since: Timestamp,
        label: (name: String, value: String),
        within limit: Duration = .seconds(180)
    ) async throws -> [EngineEvent] {
        try await eventuallyValue(within: limit, "\(count) × \(action) of \(label.name)=\(label.value)") {
            let found = all(action, since: since, label: label)
            return found.count >= count ? found.sorted { $0.time < $1.time } : nil
        }
    }
}
