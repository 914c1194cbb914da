import Foundation
import Model
import TestSupport
import Testing

/// Whatever comes in is a value or an error that says where; a value survives being written.
@Suite struct FuzzTests {
    @Test func anyBytesAreAValueThatSurvivesBeingWrittenOrAnErrorInsideTheText() throws {
        try fuzz(try Corpus("json", in: .module), count: 6000) { bytes, _ in
            do {
                let value = try JSONValue.parse(bytes)
                for text in [value.text, value.canonicalText] {
                    let again = try JSONValue.parse(text)
                    try must(again == value, "\(again) instead of \(value)")
                    try must(again.canonicalText == value.canonicalText, "two canonical texts of one value")
                }
            } catch let error as JSONSyntaxError {
                try must((0...bytes.count).contains(error.offset), "the error is at byte \(error.offset)")
                try must(error.message.utf8.count < 200, error.message)
            }
        }
    }

    @Test func jsonIsJudgedAsPythonJudgesIt() throws {
        let file = try #require(Bundle.module.url(forResource: "Corpus/json-verdicts", withExtension: "tsv"))
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count > 1000)
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            let input = bytes(fields[0])
            let value = try? JSONValue.parse(input)
            #expect((value != nil) == (fields[1] == "ok"), "\(String(decoding: input, as: UTF8.self))")
            guard let value, fields.count > 2, !fields[2].isEmpty else { continue }
            let expected = try JSONValue.parse(bytes(fields[2]))
            #expect(value == expected, "\(String(decoding: input, as: UTF8.self))")
            #expect(value.object?.keys == expected.object?.keys)
        }
    }

    private func bytes(_ digits: Substring) -> [UInt8] {
        stride(from: 0, to: digits.utf8.count, by: 2).compactMap { offset in
            UInt8(digits.dropFirst(offset).prefix(2), radix: 16)
        }
    }

    @Test func anyDocumentIsABotOrAnErrorThatNamesAFieldAndNeverAValue() throws {
        var bots = 0
        var schedules = 0
        try fuzz(try Corpus("documents", in: .module), count: 4000) { bytes, _ in
            guard let document = (try? JSONValue.parse(bytes))?.object else { return }
            _ = Bot.isSwitchedOff(document)
            do {
                let bot = try Bot(document: document)
                bots += 1
                try must(!bot.id.text.isEmpty && !bot.id.text.utf8.contains(0), "an id that none can have")
                try must(bot.config == document["config"]?.object ?? [:], "the config isn't the document's")
                try must(bot.custom.config.botEntrypoint?.isEmpty == false, "no entrypoint")
                let schedule = try BotSchedule(document: document)
                schedules += 1
                try must(schedule.bot == bot, "the schedule's bot is another one")
            } catch let error as DocumentError {
                try must(!error.field.isEmpty, "no field")
                try must(!error.problem.contains("s3cr3t"), "a value is shown: \(error.problem)")
            }
        }
        // Both ways were taken.
        #expect(bots > 20 && schedules > 5)
    }
}
