import HTTP
import Testing

@testable import DockerMode

@Suite struct DockerConnectionTests {
    @Test(arguments: [
        ("", "unix:///var/run/docker.sock"), ("unix:///run/podman.sock", "unix:///run/podman.sock"),
        ("tcp://10.0.0.1", "http://10.0.0.1:2375"), ("tcp://engine:99", "http://engine:99"),
        ("tcp://engine:99/", "http://engine:99"), ("http://engine:1", "http://engine:1"),
        ("https://engine", "https://engine:2376"), ("tcp://[::1]:7", "http://[::1]:7"),
        ("tcp://[::1]", "http://[::1]:2375"),
        ("TCP://engine:99", "http://engine:99"),
    ])
    func addressesAreReadAsDockersOwnClientReadsThem(_ host: String, _ expected: String) throws {
        #expect(try DockerConnection(host: host).description == expected)
    }

    @Test(arguments: [
        "ssh://me@host", "docker", "unix://", "unix://relative", "tcp://", "tcp://:2375", "tcp://h:0", "tcp://h:70000",
        "tcp://h:x",
        "tcp://h/path", "tcp://a b", "npipe:////./pipe", "ftp://h", "tcp://[::1", "tcp://h:1:2",
        "unix:///" + String(repeating: "x", count: 107),
    ])
    func whatIsNoAddressIsAnErrorThatNamesIt(_ host: String) throws {
        let error = #expect(throws: DockerError.self) { try DockerConnection(host: host) }
        #expect(error?.code == .setting)
        #expect(error?.message.contains("DOCKER_HOST") == true)
        #expect(error?.message.contains(String(host.prefix(3))) == true)
        #expect(error?.isRetryable == false)
    }

    @Test func f38APasswordInTheAddressIsNotShown() throws {
        let error = #expect(throws: DockerError.self) { try DockerConnection(host: "tcp://me:secret@host:1") }
        #expect(error?.message.contains("secret") == false)
        #expect(error?.message.contains("host:1") == true)
    }

    @Test func f24TheVariablesOfTLSHaveTheirEffect() throws {
        let verified = try DockerConnection(environment: [
            "DOCKER_HOST": "tcp://engine", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs",
        ])
        #expect(verified.description == "https://engine:2376")
        #expect(verified.tls?.verify == true)
        #expect(verified.tls?.caFile == "/certs/ca.pem")
        #expect(verified.tls?.certificateFile == "/certs/cert.pem")
        #expect(verified.tls?.keyFile == "/certs/key.pem")
        let unverified = try DockerConnection(environment: [
            "DOCKER_HOST": "tcp://engine:1", "DOCKER_CERT_PATH": "/certs",
        ])
        #expect(unverified.description == "https://engine:1")
        #expect(unverified.tls?.verify == false)
        let plain = try DockerConnection(environment: ["DOCKER_HOST": "tcp://engine:1", "DOCKER_TLS_VERIFY": ""])
        #expect(plain.tls == nil)
        #expect(try DockerConnection(environment: [:]).unixSocket == "/var/run/docker.sock")
    }
}
