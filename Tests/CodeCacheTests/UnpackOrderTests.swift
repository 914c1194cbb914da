import ObjectStorage
import Runtime
import TestSupport
import Testing

@testable import CodeCache

@Suite struct UnpackOrderTests {
    private static let digest = String(repeating: "0a", count: 32)

    @Test func everyFieldIsReadAndWritten() throws {
        let pem = #"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"#
        let text =
            #"{"ca":"\#(pem)","sha256":"\#(Self.digest)","state_url":"https://h/s?b=2","url":"https://h/c?a=1"}"#
        let order = try UnpackOrder(json: Array(text.utf8))
        #expect(order.code.url == "https://h/c?a=1" && order.sha256 == Self.digest)
        #expect(order.state?.url == "https://h/s?b=2")
        #expect(order.code.authorities?.contains("\n") == true && order.state?.authorities == order.code.authorities)
        #expect(try UnpackOrder(json: Array(order.json.utf8)) == order)
        let plain = try UnpackOrder(json: Array(#"{"url":"http://h/c","sha256":null,"later":[1]}"#.utf8))
        #expect(plain.sha256 == nil && plain.state == nil)
        #expect(plain.json == #"{"url":"http://h/c"}"#)
    }

    @Test(arguments: [
        ("", "JSON object"), ("[]", "JSON object"), ("{", "JSON object"), (#"{"secret-token"}"#, "JSON object"),
        ("{}", "url: is missing"), (#"{"url":null}"#, "url: is missing"), (#"{"url":1}"#, "url: expected text"),
        (#"{"url":"file:///etc/secret-token"}"#, "url: the link"),
        (#"{"url":"http://u:secret-token@h/"}"#, "url: the link"),
        (#"{"url":"http://h/c","state_url":"x secret-token"}"#, "state_url: the link"),
        (#"{"url":"http://h/c","sha256":"abc"}"#, "sha256: expected 64"),
        (#"{"url":"http://h/c","sha256":7}"#, "sha256: expected text"),
        (#"{"url":"https://h/c","ca":"secret-token"}"#, "url: the link"),
    ])
    func whatIsWrongIsNamedAndNotRepeated(_ text: String, _ part: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("code.json", text)
        let error = try #require(throws: RunnerError.self) { try UnpackOrder.read(path) }
        #expect(error.code == .refused)
        #expect(error.message.contains(part) && error.message.contains(path), "\(error)")
        #expect(!error.message.contains("secret-token"))
    }

    @Test func aFileThatIsMissingOrTooLargeIsRefused() throws {
        let folder = try TemporaryFolder()
        let large = try folder.write("large", String(repeating: " ", count: UnpackOrder.maximumBytes + 1))
        for path in [folder.file("none"), large, folder.path] {
            let error = try #require(throws: RunnerError.self) { try UnpackOrder.read(path) }
            #expect(error.code == .refused && error.message.contains(path))
        }
    }
}
