/// A certificate authority, a certificate for `localhost` and 127.0.0.1, and one for a client; made anew by openssl.
public final class TestCertificates: Sendable {
    private let folder: TemporaryFolder

    /// The authority's certificate (PEM file).
    public var authority: String { folder.file("ca.pem") }
    /// The server's certificate, and its key.
    public var serverCertificate: String { folder.file("server-cert.pem") }
    /// The server's key (PEM file).
    public var serverKey: String { folder.file("server-key.pem") }
    /// The client's certificate, named as Docker expects it in DOCKER_CERT_PATH.
    public var clientCertificate: String { folder.file("cert.pem") }
    /// The client's key.
    public var clientKey: String { folder.file("key.pem") }
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`, as DOCKER_CERT_PATH has it.
    public var path: String { folder.path }

    private init(_ folder: TemporaryFolder) {
        self.folder = folder
    }

    /// Makes them; they are valid for a day.
    public static func make() async throws -> TestCertificates {
        let certificates = TestCertificates(try TemporaryFolder())
        try certificates.folder.write(
            "make.sh",
            """
            set -eu
            openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=the0 test authority" -keyout ca-key.pem -out ca.pem
            sign() {
                openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$3" -out request.pem
                printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\\nextendedKeyUsage=%s\\n' "$4" >extensions
                openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 1 \\
                    -extfile extensions -out "$2"
            }
            sign localhost server-cert.pem server-key.pem serverAuth
            sign client cert.pem key.pem clientAuth
            """
        )
        try await requireCommand(["sh", "make.sh"], folder: certificates.path)
        return certificates
    }
}
