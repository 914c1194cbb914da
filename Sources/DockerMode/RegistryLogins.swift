import Model
import Util

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The logins that this machine has at registries, as Docker's own client keeps them: in `config.json`, or with the
/// credential programs that it names.
///
/// All is read anew for each pull: tokens of cloud registries last for hours only.
struct RegistryLogins: Sendable {
    /// The folder of `config.json`; nil where none is to be used.
    let folder: String?
    /// How long a credential program may take.
    var patience: Duration = .seconds(30)

    /// The login at a registry; nil where there is none.
    /// - Throws: ``DockerError`` with code `setting` when that can't be told; it holds no secret.
    func login(at registry: String) async throws(DockerError) -> RegistryLogin? {
        guard let folder else { return nil }
        do {
            let executor = try BlockingExecutor(name: "logins", threads: 1)
            return try await executor.blocking { try read("\(folder)/config.json", registry) }
        } catch let error as DockerError {
            throw error
        } catch {
            guard !(error is CancellationError) else { throw DockerError(.cancelled, "cancelled") }
            throw DockerError(.failed, "registry credentials can't be read: \(error)", cause: error)
        }
    }

    private func read(_ path: String, _ registry: String) throws(DockerError) -> RegistryLogin? {
        guard let bytes = try Self.bytes(of: path) else { return nil }
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONValue.parse(bytes) } catch {
            throw Self.unusable(path, "\(error)")
        }
        guard let config = value.object else { throw Self.unusable(path, "is no JSON object") }
        if let program = try Self.program(config, registry, path) {
            return try ask(program, registry)
        }
        return try Self.entry(config, registry, path)
    }

    /// The name of the credential program for a registry: its own, or the one for all.
    private static func program(
        _ config: JSONObject,
        _ registry: String,
        _ path: String
    ) throws(DockerError) -> String? {
        let own = config["credHelpers"]?.object.flatMap { programs in
            keys(of: registry).lazy.compactMap { programs[$0]?.string }.first
        }
        guard let name = own ?? config["credsStore"]?.string, !name.isEmpty else { return nil }
        // It becomes part of a program's name.
        guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
            throw unusable(path, "names a credential program with a character that none has")
        }
        return "docker-credential-\(name)"
    }

    private static func entry(
        _ config: JSONObject,
        _ registry: String,
        _ path: String
    ) throws(DockerError) -> RegistryLogin? {
        guard let entries = config["auths"]?.object else { return nil }
        let hosts = Set(keys(of: registry).map(host))
        guard
            let entry = keys(of: registry).lazy.compactMap({ entries[$0]?.object }).first
                ?? entries.members.first(where: { hosts.contains(host($0.key)) })?.value.object
        else { return nil }
        guard let login = RegistryLogin(entry: entry) else {
            throw unusable(path, "has an auth for \(registry) that isn't base64 of name:password")
        }
        return login.isEmpty ? nil : login
    }

    /// The names that a registry's entry may have.
    private static func keys(of registry: String) -> [String] {
        registry == ImageReference.hub ? [registry] + ImageReference.hubHosts.sorted() : [registry]
    }

    /// A key without scheme and path: older clients wrote them.
    private static func host(_ key: String) -> String {
        let rest = key.firstRange(of: "://").map { key[$0.upperBound...] } ?? key[...]
        return String(rest.prefix { $0 != "/" })
    }

    private func ask(_ program: String, _ registry: String) throws(DockerError) -> RegistryLogin? {
        let answer = try runProgram(program, ["get"], input: Array(registry.utf8), within: patience)
        guard answer.exitCode == 0 else {
            // The one answer that isn't a failure; the programs' protocol has it as text.
            let words = String(decoding: answer.output, as: UTF8.self)
            if words.contains("credentials not found in native keychain") { return nil }
            // What else it printed may be a secret.
            throw DockerError(.setting, "\(program) get for \(registry): exit code \(answer.exitCode)")
        }
        guard let login = RegistryLogin(printed: answer.output) else {
            throw DockerError(
                .setting,
                "\(program) get for \(registry): the answer isn't JSON with Username and Secret"
            )
        }
        return login.isEmpty ? nil : login
    }

    private static func unusable(_ path: String, _ problem: String) -> DockerError {
        DockerError(.setting, "registry credentials in \(path.escapedForMessage): \(problem)")
    }

    /// A file's content; nil when there is no file.
    private static func bytes(of path: String) throws(DockerError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw unusable(path, "can't be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let limit = 1 << 20
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unusable(path, "can't be read: \(String(cString: strerror(errno)))") }
            if count == 0 { return result }
            result += piece.prefix(count)
            guard result.count <= limit else { throw unusable(path, "has more than \(limit) bytes") }
        }
    }
}
