import Foundation
import Model
import TestSupport

/// A container as the `docker` client shows it.
struct Container: Sendable, Equatable {
    let id: String
    let labels: [String: String]
    let environment: [String]
    let status: String
    let exitCode: Int64
    let startedAt: String
    /// Names of the volumes it has.
    let volumes: [String]

    var bot: String { labels["runtime.id"] ?? "" }
    var slot: String { labels["runtime.slot"] ?? "" }
    var isRunning: Bool { status == "running" }

    init(_ object: JSONObject) {
        id = object["Id"]?.string ?? ""
        let config = object["Config"]?.object
        labels = (config?["Labels"]?.object?.members ?? []).reduce(into: [:]) { $0[$1.0] = $1.1.string }
        environment = (config?["Env"]?.array ?? []).compactMap(\.string)
        let state = object["State"]?.object
        status = state?["Status"]?.string ?? ""
        exitCode = if case .integer(let code) = state?["ExitCode"] { code } else { -1 }
        startedAt = state?["StartedAt"]?.string ?? ""
        volumes = (object["Mounts"]?.array ?? []).compactMap { mount in
            mount.object?["Type"]?.string == "volume" ? mount.object?["Name"]?.string : nil
        }.sorted()
    }
}

/// Something that happened in the engine.
struct EngineEvent: Sendable {
    let type: String
    let action: String
    let subject: String
    let attributes: [String: String]
    /// Nanoseconds since 1970, of the engine's clock.
    let time: Int64

    init?(line: Substring) {
        guard let object = try? JSONValue.parse(String(line)).object, let actor = object["Actor"]?.object else {
            return nil
        }
        type = object["Type"]?.string ?? ""
        action = object["Action"]?.string ?? ""
        subject = actor["ID"]?.string ?? ""
        attributes = (actor["Attributes"]?.object?.members ?? []).reduce(into: [:]) { $0[$1.0] = $1.1.string }
        time = if case .integer(let time) = object["timeNano"] { time } else { 0 }
    }

    /// Seconds since 1970.
    var seconds: Double { Double(time) / 1e9 }
}

/// All that happens to containers and volumes of an engine from now on: its list of past events is short.
final class EngineEvents: Sendable {
    private let process: ChildProcess
    private let file: String

    init(_ engine: DockerEngine, file: String) throws {
        self.file = file
        let since = "\(Int(Date().timeIntervalSince1970) - 1)"
        process = try ChildProcess(
            [
                "docker", "--host", engine.address, "events", "--since", since, "--format", "{{json .}}",
                "--filter", "type=container", "--filter", "type=volume",
            ],
            output: file
        )
    }

    func all() -> [EngineEvent] {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { EngineEvent(line: $0) }
    }

    func stop() async {
        process.killGroup()
        _ = await process.ended()
    }
}

extension JSONValue {
    var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }
}
