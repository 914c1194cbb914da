import Control
import DockerMode
import Model
import Monitoring
import ObjectStorage
import Runtime
import Util

@testable import runtime_cli

/// How one setting is tried: values that differ in their effect, values that are refused, and how the effect is seen.
struct SettingSample: Sendable, CustomStringConvertible {
    let key: SettingKey
    /// A value whose effect differs from the default's and from that of the other.
    let value: String
    /// Another value.
    let other: String
    /// What can be seen of the effect.
    let effect: @Sendable (RunnerSettings) -> String
    /// The effect of `value`.
    let expected: String
    /// What stands in the environment besides, for the setting to mean anything.
    var surroundings: [String: String] = [:]
    /// Values that must be refused, each with a part of the message that says what is allowed.
    var invalid: [(value: String, allowed: String)] = []
    /// Whether the environment takes any text, as Docker's client does.
    var anyTextInEnvironment = false

    var description: String { key.name }
}

extension SettingSample {
    static let objectStore = [
        "MINIO_ENDPOINT": "minio:9000", "MINIO_ACCESS_KEY": "anAccessKey", "MINIO_SECRET_KEY": "aSecretKey",
    ]

    /// The surroundings without the setting's own variables.
    var environment: [String: String] {
        var environment = surroundings
        environment["HOME"] = "/home/me"
        for variable in key.variables { environment[variable] = nil }
        return environment
    }

    func settings(flag: String? = nil, variable: (String, String)? = nil, file: String? = nil) throws -> RunnerSettings
    {
        var sources = SettingSources(environment: environment, filePath: "settings.yaml")
        if let flag { sources.flags[key.name] = flag }
        if let (name, text) = variable { sources.environment[name] = text }
        if let file { sources.file[key.name] = .string(file) }
        return try RunnerSettings(sources)
    }

    static let durations = [("fast", "no duration"), ("5", "allowed are h"), ("-1s", "least allowed")]
    static let bytes = [("much", "expected a number"), ("0", "more than 0"), ("-1Mi", "is negative")]
    static let bools = [("maybe", "true or false"), ("2", "true or false")]

    static func whole(_ range: ClosedRange<Int64>) -> [(value: String, allowed: String)] {
        let allowed = "from \(range.lowerBound) to \(range.upperBound)"
        return ["many", "1.5", "-1", "99999999999999999999"].map { ($0, allowed) } + [
            ("\(range.upperBound + 1)", allowed)
        ]
    }

    static let all: [SettingSample] = services + bots + running
}
