import Model
import Util

/// One line of the engine's event stream, as far as it is of use here.
struct EngineEvent: Sendable, Hashable {
    let time: Timestamp
    let id: BotID
    /// nil on containers of version 1.2.0.
    let kind: String?
    let instance: String?
    /// The exit code, of a container's end.
    let exitCode: String?

    /// What to listen for: whatever changes what runs. The last two are Podman's names, which it filters by.
    static let actions = ["start", "die", "oom", "destroy", "died", "remove"]

    /// Reads a line; nil for one that isn't an event of a bot's container.
    /// - Throws: ``DockerError`` with code `badAnswer` when it is no JSON object with a time.
    init?(_ line: [UInt8]) throws(DockerError) {
        guard let event = (try? JSONValue.parse(line))?.object else {
            throw DockerError(
                .badAnswer,
                "the engine's event stream has a line of \(line.count) bytes that is no JSON object"
            )
        }
        if case .integer(let nanoseconds) = event["timeNano"] {
            time = Timestamp(nanosecondsSince1970: nanoseconds)
        } else if case .integer(let seconds) = event["time"] {
            time = Timestamp(secondsSince1970: seconds)
        } else {
            throw DockerError(.badAnswer, "the engine's event stream has an event without a time")
        }
        let attributes = event["Actor"]?.object?["Attributes"]?.object
        guard let id = attributes?[Label.id]?.string, !id.isEmpty else { return nil }
        self.id = BotID(id)
        kind = attributes?[Label.kind]?.string
        instance = attributes?[Label.instance]?.string
        let action = event["Action"]?.string
        exitCode = action == "die" || action == "died" ? attributes?["exitCode"]?.string ?? "unknown" : nil
    }

    /// Whether it concerns the runs of a kind and an instance. Of a container without our labels it isn't told whose it is.
    func concerns(_ wanted: ExecutableKind, instance wantedInstance: String) -> Bool {
        (kind == nil || kind == wanted.rawValue)
            && (instance == wantedInstance || (instance == nil && wantedInstance == Observation.defaultInstance))
    }
}
