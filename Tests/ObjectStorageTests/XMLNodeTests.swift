import Testing

@testable import ObjectStorage

@Suite struct XMLNodeTests {
    private func parse(_ text: String) -> XMLNode? { XMLNode.parse(Array(text.utf8)) }

    @Test func readsWhatServersSend() {
        let node = parse(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- from MinIO -->
            <s3:Error xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/"><Code>NoSuchKey</Code>
            <Message>a &lt;b&gt; &amp; &#252;&#xFC;&quot;<![CDATA[<raw>]]></Message><Empty/><Key a='x'>k</Key></s3:Error>
            """
        )
        #expect(node?.name == "Error")
        #expect(node?.text(of: "Code") == "NoSuchKey")
        #expect(node?.text(of: "Message") == "a <b> & üü\"<raw>")
        #expect(node?.text(of: "Empty") == "")
        #expect(node?.text(of: "Key") == "k")
        #expect(node?.text(of: "Other") == nil)
    }

    @Test(arguments: [
        "", "garbage", "<", "<a", "<a>", "<a></b>", "</a>", "<a>&undefined;</a>", "<a>&#xD800;</a>",
        "<a>&#99999999;</a>", "<a>&</a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a><![CDATA[</a>", "<?xml", "<>x</>",
    ])
    func refusesWhatIsNoDocument(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test func refusesDeepNestingAndBinary() {
        #expect(parse(String(repeating: "<a>", count: 100_000)) == nil)
        #expect(parse(String(repeating: "<a>", count: 16) + String(repeating: "</a>", count: 16)) != nil)
        #expect(parse(String(repeating: "<a>", count: 17) + String(repeating: "</a>", count: 17)) == nil)
        #expect(XMLNode.parse([0x3C, 0x61, 0x3E, 0xFF, 0x3C, 0x2F, 0x61, 0x3E]) == nil)
    }
}
