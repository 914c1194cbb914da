import Control
import Foundation
import Model
import TestSupport
import Testing

@testable import DirectoryStore

/// What people may have in their files, and what may stand in for them.
@Suite struct FuzzTests {
    @Test func anyYAMLIsAValueWithinTheBoundsOrAProblem() throws {
        try fuzz(try Corpus("yaml", in: .module), count: 1000, longest: 4000, limit: .seconds(5)) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let value = try YAMLDocument.parse(text)
                var nodes = 0
                let depth = value.depth(&nodes)
                try must(depth <= YAMLDocument.deepest + 1, "nested \(depth) deep")
                try must(nodes <= YAMLDocument.mostNodes, "\(nodes) values")
                try must(try JSONValue.parse(value.text) == value, "the value can't be written as JSON")
            } catch let error as YAMLProblem {
                try must(error.description.utf8.count < 1000, "a problem of \(error.description.utf8.count) bytes")
            }
        }
    }

    @Test(arguments: ["[", "{", "- ", "? ", "{a: ", "[[a]: ", "- - ", "&a [", "!!a ", "\"", "a: ", "*a "])
    func aFileOfNothingButBeginningsIsAProblemAtOnce(_ piece: String) throws {
        for count in [10, 100, 1000, 10_000, YAMLDocument.longest / piece.utf8.count] {
            let start = ContinuousClock.now
            let text = String(repeating: piece, count: count)
            do { _ = try YAMLDocument.parse(text) } catch { #expect(error.description.utf8.count < 1000) }
            #expect(start.duration(to: .now) < .seconds(20 * Fuzzing.patience), "\(count) × \(piece)")
        }
    }

    @Test func anyListIsBotsOrWhatIsWrongWithThem() throws {
        var entries = 0
        try fuzz(try Corpus("bots", in: .module), count: 2500, longest: 4000) { bytes, _ in
            guard let list = try? YAMLDocument.parse(String(decoding: bytes, as: UTF8.self)),
                case .array(let values) = list
            else { return }
            for (position, value) in values.enumerated() {
                switch BotEntry(value, position: position, folders: ["sma"]) {
                case .instance(let instance):
                    entries += 1
                    try must(instance.folder == "sma" && !instance.id.text.isEmpty, "\(instance)")
                    try must(value.object?["id"]?.string == instance.id.text, "another id than the list's")
                case .broken(_, let error):
                    try must(error.description.utf8.count < 2000, "\(error)")
                }
            }
        }
        #expect(entries > 100)
    }

    @Test func anyProgramFileIsAConfigurationOrNamesAField() throws {
        try fuzz(try Corpus("programs", in: .module), count: 2500, longest: 4000) { bytes, _ in
            guard let object = (try? YAMLDocument.parse(String(decoding: bytes, as: UTF8.self)))?.object else { return }
            do {
                let config = try CustomBotConfig(document: object, id: "a", path: "sma/bot-config.yaml: ")
                try must(!config.runtime.isEmpty && config.botEntrypoint?.isEmpty == false, "\(config)")
            } catch let error as DocumentError {
                try must(error.field.hasPrefix("sma/bot-config.yaml: "), "\(error)")
            }
        }
    }

    /// What can be read can be written and read again, and nothing else is taken for a history.
    @Test func anyStateIsReadWholeOrNotAtAll() throws {
        var states = 0
        try fuzz(try Corpus("states", in: .module), count: 5000, longest: 4000) { bytes, _ in
            do {
                let state = try ScheduleState(text: String(decoding: bytes, as: UTF8.self))
                states += 1
                try must(try ScheduleState(text: state.text) == state, "not the same once written")
                try must(state.runs.allSatisfy { $0.id == state.id }, "another schedule's run")
                try must(Set(state.runs.map(\.slot)).count == state.runs.count, "a slot twice")
            } catch let error as StateProblem {
                try must(error.problem.utf8.count < 1000, "a problem of \(error.problem.utf8.count) bytes")
            }
        }
        #expect(states > 50)
    }
}

extension JSONValue {
    fileprivate func depth(_ nodes: inout Int) -> Int {
        nodes += 1
        switch self {
        case .array(let elements): return 1 + elements.reduce(0) { max($0, $1.depth(&nodes)) }
        case .object(let object): return 1 + object.members.reduce(0) { max($0, $1.value.depth(&nodes)) }
        default: return 1
        }
    }
}
