import Foundation
import Model
import Synchronization
import TestSupport

/// What a fake engine answers: recorded of a real one, with the ids, names and labels of a fleet's bots put in.
final class FakeEngineAnswers: Sendable {
    /// What it was asked.
    struct Counters: Sendable {
        var listsOfAll = 0
        var listsOfOne = 0
        var inspections = 0
        /// Anything that would change something: a fleet that is as it should be sees none.
        var writes = 0
    }

    private struct Container: Sendable {
        let id: String
        let summary: String
        let number: Int
    }

    private let containers: [String: Container]
    private let numbers: [String: Int]
    private let list: String
    private let details: JSONObject
    private let bots: [[Substring]]
    private let fixed: [String: String]
    let counters = Mutex(Counters())

    /// Reads what ``FakeEngine`` has written.
    init(folder: String) throws {
        func read(_ name: String) throws -> String { try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }
        guard let summary = try JSONValue.parse(try read("summary.json")).object,
            let details = try JSONValue.parse(try read("details.json")).object
        else { throw FixtureError("\(folder): no recorded container") }
        self.details = details
        bots = try read("bots.tsv").split(separator: "\n").map { $0.split(separator: "\t") }
        var containers: [String: Container] = [:]
        var numbers: [String: Int] = [:]
        var texts: [String] = []
        for (number, bot) in bots.enumerated() {
            let id = Self.containerID(number)
            let text = JSONValue(Self.adapted(summary, id: id, bot: bot)).text
            containers[String(bot[0])] = Container(id: id, summary: text, number: number)
            numbers[id] = number
            texts.append(text)
        }
        self.containers = containers
        self.numbers = numbers
        list = "[" + texts.joined(separator: ",") + "]"
        fixed = [
            "/_ping": "OK", "/version": try read("version.json"), "/info": try read("info.json"),
            "/networks": "[]", "/images/json": "[]", "/volumes": #"{"Volumes":[],"Warnings":null}"#,
        ]
    }

    private static func containerID(_ number: Int) -> String {
        let hex = String(number, radix: 16)
        return "fa4e" + String(repeating: "0", count: 60 - hex.count) + hex
    }

    /// A recorded container (of the list, or its details) as that of another bot.
    private static func adapted(_ recorded: JSONObject, id: String, bot: [Substring]) -> JSONObject {
        var container = recorded
        container["Id"] = .string(id)
        var config = container["Config"]?.object
        var labels = (config?["Labels"] ?? container["Labels"])?.object ?? [:]
        labels["runtime.id"] = .string(String(bot[0]))
        labels["runtime.hash"] = .string(String(bot[1]))
        labels["runtime.instance"] = .string(String(bot[2]))
        if config != nil {
            config?["Labels"] = .object(labels)
            container["Config"] = config.map { .object($0) }
        } else {
            container["Labels"] = .object(labels)
        }
        return container
    }

    /// The body of an answer, nil for what there isn't.
    func answer(method: Substring, path: Substring, query: Substring) -> String? {
        guard method == "GET" else {
            counters.withLock { $0.writes += 1 }
            return nil
        }
        if let body = fixed[String(path)] { return body }
        if path == "/containers/json" { return containerList(query) }
        if path == "/fake/counters" {
            let now = counters.withLock { $0 }
            return JSONValue([
                "listsOfAll": .integer(Int64(now.listsOfAll)), "listsOfOne": .integer(Int64(now.listsOfOne)),
                "inspections": .integer(Int64(now.inspections)), "writes": .integer(Int64(now.writes)),
            ]).text
        }
        let parts = path.split(separator: "/")
        guard parts.count == 3, parts[0] == "containers", parts[2] == "json", let number = numbers[String(parts[1])]
        else { return nil }
        counters.withLock { $0.inspections += 1 }
        return JSONValue(Self.adapted(details, id: String(parts[1]), bot: bots[number])).text
    }

    private func containerList(_ query: Substring) -> String {
        let filters = String(query).removingPercentEncoding ?? ""
        // Broken preparations, of which there are none.
        if filters.contains("runtime.preparing") { return "[]" }
        guard let start = filters.range(of: "runtime.id=") else {
            counters.withLock { $0.listsOfAll += 1 }
            return list
        }
        counters.withLock { $0.listsOfOne += 1 }
        let id = filters[start.upperBound...].prefix { $0 != "\"" }
        return containers[String(id)].map { "[\($0.summary)]" } ?? "[]"
    }
}
