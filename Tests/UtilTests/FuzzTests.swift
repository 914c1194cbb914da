import Foundation
import TestSupport
import Testing
import Util

@Suite struct FuzzTests {
    @Test func anyTextIsADurationThatSurvivesBeingWrittenOrACodedError() throws {
        try fuzz(try Corpus("durations", in: .module), count: 6000) { bytes, _ in
            do {
                let duration = try GoDuration.parse(String(decoding: bytes, as: UTF8.self))
                let text = GoDuration.string(duration)
                try must(try GoDuration.parse(text) == duration, "\(duration) is written as \(text)")
            } catch let error as UtilError {
                try expect(error, .invalidDuration)
            }
        }
    }

    @Test func anyTextIsATimeThatSurvivesBeingWrittenOrACodedError() throws {
        try fuzz(try Corpus("times", in: .module), count: 6000) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let time = try RFC3339.parse(text)
                try must(
                    try RFC3339.parse(time.description) == time,
                    "\(time.nanosecondsSince1970) is written as \(time)"
                )
                try must(try RFC3339.parseEngineTime(text) == time, "the engine's reading differs")
                // The millisecond before the first nanosecond there is can be written, but not read.
                guard time.nanosecondsSince1970 > .min + 1_000_000 else { return }
                let shown = RFC3339.string(millisecondsSince1970: time.millisecondsSince1970)
                try must(try RFC3339.parse(shown).millisecondsSince1970 == time.millisecondsSince1970, shown)
            } catch let error as UtilError {
                try expect(error, .invalidTimestamp)
                do {
                    // Go's zero time is outside of what can be represented.
                    try must(try RFC3339.parseEngineTime(text) == nil, "only the engine's reading takes it")
                } catch let error as UtilError {
                    try expect(error, .invalidTimestamp)
                }
            }
        }
    }

    private func expect(_ error: UtilError, _ code: UtilError.Code) throws {
        try must(error.code == code && !error.isRetryable, "\(error)")
        try must(error.message.utf8.count < 1000, "a message of \(error.message.utf8.count) bytes")
        try must(error.message.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "a control character in the message")
    }

    @Test func noPasswordIsLeftWhateverStandsAroundItsURL() throws {
        try fuzz(try Corpus("urls", in: .module), count: 3000, longest: 2000) { bytes, _ in
            let junk = String(decoding: bytes, as: UTF8.self)
            for shown in [
                Redaction.url(junk), Redaction.urls(in: junk), Redaction.url("mongodb://u:hunter2@h" + junk),
                Redaction.urls(in: junk + " mongodb://u:hunter2@h " + junk),
                Redaction.urls(in: "nats://hunter2@h" + junk), Redaction.url(junk + ",nats://u:hunter2@h"),
            ] { try must(!shown.contains("hunter2"), shown) }
        }
    }

    @Test func noRegisteredSecretIsLeftWhateverItIs() throws {
        try fuzz(try Corpus("urls", in: .module), count: 1500, longest: 300) { bytes, mutator in
            let secret = String(decoding: bytes, as: UTF8.self)
            guard secret.count >= Secrets.minimumLength else { return }
            let secrets = Secrets()
            secrets.register(secret)
            let junk = String(decoding: mutator.next().prefix(300), as: UTF8.self)
            let shown = secrets.redact(junk + " " + secret + " " + junk)
            // What a mask is made of may be all of the secret.
            guard !Secrets.mask.contains(secret), !secret.contains("*"), !shown.isEmpty else { return }
            try must(!Array(shown.utf8).contains(secret), shown)
        }
    }
}

extension [UInt8] {
    fileprivate func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: wanted) }
    }
}
