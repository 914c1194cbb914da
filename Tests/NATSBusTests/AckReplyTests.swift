import Testing

@testable import NATSBus

@Suite struct AckReplyTests {
    @Test func bothFormsOfTheReplySubjectAreRead() throws {
        let short = try #require(AckReply("$JS.ACK.THE0_EVENTS.runtime-bots.3.41.7.1700000000000000000.12"))
        #expect(short.stream == "THE0_EVENTS")
        #expect(short.consumer == "runtime-bots")
        #expect(short.delivered == 3)
        #expect(short.sequence == 41)
        #expect(short.pending == 12)
        #expect(AckReply("$JS.ACK._.hash.THE0_EVENTS.runtime-bots.3.41.7.1700000000000000000.12.token") == short)
        #expect(AckReply("$JS.ACK.hub.hash.THE0_EVENTS.runtime-bots.3.41.7.1700000000000000000.12") == short)
    }

    @Test(arguments: [
        "", "_INBOX.x.1", "$JS.ACK.", "$JS.ACK.a.b.1.2.3.4", "$JS.ACK.a.b.1.2.3.4.5.6", "$JS.ACK.a.b.x.2.3.4.5",
        "$JS.ACK.a.b.1.-2.3.4.5", "$JS.ACK.a.b.1.2.3.4.99999999999999999999",
    ])
    func otherSubjectsAreNone(subject: String) { #expect(AckReply(subject) == nil) }
}
