/// A registry of images with one image, `tiny:1`, for those who know name and password.
///
/// Engines take a registry on the loopback address without TLS.
public final class ImageRegistry: Sendable {
    /// Its process.
    public let service: LocalService
    /// `host:port`, as images' names begin with it.
    public let host: String
    /// The image's whole name.
    public var image: String { "\(host)/tiny:1" }

    private init(service: LocalService, host: String) {
        self.service = service
        self.host = host
    }

    /// Starts one.
    /// - Parameters:
    ///   - user: without a colon.
    ///   - password: any text.
    public static func start(user: String, password: String) async throws -> ImageRegistry {
        let port = try freePort()
        let folder = try TemporaryFolder()
        let script = try folder.write("registry.py", program)
        let service = try await LocalService(
            "registry",
            folder: folder,
            command: ["python3", script, "\(port)", user, password]
        ) {
            await exchange(.port(port), Array("GET /v2/ HTTP/1.0\r\n\r\n".utf8)) != nil
        }
        return ImageRegistry(service: service, host: "127.0.0.1:\(port)")
    }

    private static let program = """
        import base64, gzip, hashlib, http.server, io, json, os, sys, tarfile
        port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
        expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            entry = tarfile.TarInfo("marker")
            # Of this registry alone, so that no other test's image is the same.
            content = os.urandom(16)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        layer = gzip.compress(raw.getvalue())
        def digest(data):
            return "sha256:" + hashlib.sha256(data).hexdigest()
        config = json.dumps({
            "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/marker"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(raw.getvalue())]},
        }).encode()
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": kind,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config),
                "digest": digest(config),
            },
            "layers": [{
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(layer),
                "digest": digest(layer),
            }],
        }).encode()
        blobs = {digest(layer): layer, digest(config): config}
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def answer(self, status, kind, data):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
                if status == 401:
                    self.send_header("WWW-Authenticate", 'Basic realm="test"')
                if kind.startswith("application/vnd"):
                    self.send_header("Docker-Content-Digest", digest(data))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)
            def do_GET(self):
                if self.headers.get("Authorization") != expected:
                    problem = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
                    return self.answer(401, "application/json", json.dumps(problem).encode())
                if self.path == "/v2/":
                    return self.answer(200, "application/json", b"{}")
                if self.path in ("/v2/tiny/manifests/1", "/v2/tiny/manifests/" + digest(manifest)):
                    return self.answer(200, kind, manifest)
                blob = blobs.get(self.path.removeprefix("/v2/tiny/blobs/"))
                if blob is None:
                    return self.answer(404, "application/json", b"{}")
                self.answer(200, "application/octet-stream", blob)
            do_HEAD = do_GET
        http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
        """

    /// Ends it.
    public func stop() async { await service.stop() }
}
