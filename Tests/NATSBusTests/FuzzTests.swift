import Control
import Foundation
import Model
import TestSupport
import Testing

@testable import NATSBus

/// What anybody may publish, and what a server's address may be.
@Suite struct FuzzTests {
    @Test func anyPayloadIsAnEventThatCanBeStoredOrAnErrorWithoutItsValues() throws {
        var events = 0
        try fuzz(try Corpus("events", in: .module), count: 6000) { bytes, mutator in
            let operation = ["created", "updated", "deleted"][mutator.number(0...2)]
            do {
                let event = try BotEvent(subject: "the0.bot.\(operation)", payload: bytes)
                events += 1
                try must(!event.id.text.isEmpty && !event.id.text.utf8.contains(0), "an id that none can have")
                guard case .created(let document) = event else { return }
                var whole = document.fields
                whole["id"] = .string(event.id.text)
                try must((try? Bot(document: whole)) != nil, "what is created can't be read again")
            } catch let error as BotEventError {
                try must(!error.problem.contains("s3cr3t"), "a value is shown: \(error)")
                try must(error.problem.utf8.count < 1000, "a problem of \(error.problem.utf8.count) bytes")
            }
        }
        #expect(events > 100)
    }

    @Test func anyAddressAndReplySubjectIsReadOrRefused() throws {
        try fuzz(try Corpus("texts", in: .module), count: 6000, longest: 400) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            if let reply = AckReply(text) { try must(!text.isEmpty && reply.delivered <= Int.max, "\(reply)") }
            let url = ServerURL(text)
            try must(url.text == text, "another text")
            guard url.problem == nil else { return }
            try must(["nats", "tls"].contains(url.scheme), url.scheme)
            let shown = url.withoutCredentials
            try must(ServerURL(shown).problem == nil && ServerURL(shown).credentials == nil, shown)
            try must(ServerURL(shown).withoutCredentials == shown, shown)
        }
    }
}
