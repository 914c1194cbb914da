import Monitoring
import Testing

@Suite struct ListenAddressTests {
    @Test(arguments: [
        (":8080", "", 8080), ("127.0.0.1:0", "127.0.0.1", 0), ("[::]:8080", "::", 8080), ("[::1]:65535", "::1", 65_535),
        ("status.example-host:80", "status.example-host", 80),
    ])
    func addressesAreRead(text: String, host: String, port: Int) throws {
        let address = try ListenAddress(text)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("", "lacks a port"), ("8080", "lacks a port"), ("host", "lacks a port"), (":", "from 0 to 65535"),
        (":65536", "from 0 to 65535"), (":-1", "from 0 to 65535"), (":+1", "from 0 to 65535"),
        (":８０", "from 0 to 65535"),
        (":99999999999999999999", "from 0 to 65535"), (":http", "from 0 to 65535"), ("::1:80", "needs brackets"),
        ("[::1:80", "brackets"), ("[]:80", "brackets"), ("[host]:80", "brackets"), ("[::1]x:80", "brackets"),
        ("http://host:80", "needs brackets"), ("a b:80", "no name"), ("a/b:80", "no name"), ("h\n:80", "no name"),
    ])
    func anythingElseIsAnErrorThatSaysWhy(text: String, reason: String) {
        let error = #expect(throws: MonitoringError.self) { try ListenAddress(text) }
        #expect(error?.code == .invalidAddress)
        #expect(error?.message.contains(reason) == true)
        #expect(error?.message.contains("\":8080\"") == true)
    }
}
