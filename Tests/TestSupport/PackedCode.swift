import Archive
import Foundation
public import Model
public import Runtime
import Synchronization

/// Code made up by tests, packed into tars in a temporary folder.
public final class PackedCode: CodeProvider {
    private let folder: TemporaryFolder
    private let archives = Mutex<[String: CodeArchive]>([:])

    /// Without any code at first.
    public init() throws { folder = try TemporaryFolder() }

    /// Adds code under a key, unless it is there.
    public func add(_ key: String, _ files: [String: String]) throws {
        guard archives.withLock({ $0[key] }) == nil else { return }
        let owner = FileOwnership(uid: 65532, gid: 65532)
        let packed = try packFiles(
            files.sorted { $0.key < $1.key }.map {
                ArchiveFile(name: $0.key, contents: Array($0.value.utf8), owner: owner)
            }
        )
        let digest = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        let path = folder.file("\(digest).tar")
        try Data(packed).write(to: URL(fileURLWithPath: path))
        let archive = CodeArchive(path: path, size: Int64(packed.count), files: Set(files.keys), digest: digest)
        archives.withLock { $0[key] = archive }
    }

    /// Overwrites a program's archive with bytes of the same number that are no tar.
    public func spoil(_ spec: LaunchSpec) throws {
        guard case .object(let key) = spec.executable.custom.code, let archive = archives.withLock({ $0[key] }) else {
            return
        }
        try Data(repeating: 0xFF, count: Int(archive.size)).write(to: URL(fileURLWithPath: archive.path))
    }

    /// A specification for a program of these files.
    public func spec(
        _ id: BotID,
        kind: ExecutableKind = .live,
        slot: Slot? = nil,
        config: JSONObject = ["a": 1],
        builder: LaunchSpecBuilder = LaunchSpecBuilder(),
        runtime: String = "python3.11",
        entrypoint: String = "main.py",
        files: [String: String]
    ) throws -> LaunchSpec {
        let key = files.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
        try add(key, files)
        let version = CustomBotVersion(
            version: "1.0.0",
            code: .object(key: key),
            config: CustomBotConfig(name: "test", runtime: runtime, entrypoints: ["bot": entrypoint])
        )
        return try builder.spec(
            for: Executable(id: id, kind: kind, slot: slot, config: config, custom: version)
        )
    }

    /// Lends the tar of an object's key.
    public func withCode<Result: Sendable>(
        of version: CustomBotVersion,
        _ body: @Sendable (CodeArchive) async throws(RunnerError) -> Result
    ) async throws(RunnerError) -> Result {
        guard case .object(let key) = version.code, let archive = archives.withLock({ $0[key] }) else {
            throw RunnerError(.codeUnavailable, "no such code in this test")
        }
        return try await body(archive)
    }

    /// Removes all of it now.
    public func remove() { folder.remove() }
}
