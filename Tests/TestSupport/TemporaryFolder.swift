import Foundation
import Synchronization

/// A new, empty folder that is removed with its owner, or at the latest when the test process exits.
public final class TemporaryFolder: Sendable {
    /// The absolute path, short enough for a Unix socket inside.
    public let path: String

    private static let prefix = "the0-test-"
    private static let next = Atomic(0)
    private static let sweepOnce: Void = sweep()

    /// Makes the folder. Its name carries this process's id, so that leftovers of killed processes are known as such.
    public init() throws {
        _ = Self.sweepOnce
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let number = Self.next.wrappingAdd(1, ordering: .relaxed).newValue
        path = "\(root)/\(Self.prefix)\(getpid())-\(number)-\(UInt32.random(in: 0...0xffff))"
        ProcessExit.remember(path: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        remove()
    }

    /// The path of a file or folder inside.
    public func file(_ name: String) -> String {
        "\(path)/\(name)"
    }

    /// Writes a file, making the folders it lies in.
    /// - Parameters:
    ///   - name: the path inside this folder.
    ///   - contents: the text to write.
    ///   - executable: whether everyone may execute it.
    /// - Returns: the file's absolute path.
    @discardableResult
    public func write(_ name: String, _ contents: String, executable: Bool = false) throws -> String {
        let target = file(name)
        let parent = URL(fileURLWithPath: target).deletingLastPathComponent().path
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try Data(contents.utf8).write(to: URL(fileURLWithPath: target))
        if executable { chmod(target, 0o755) }
        return target
    }

    /// Removes it now.
    public func remove() {
        if (try? FileManager.default.removeItem(atPath: path)) != nil || !FileManager.default.fileExists(atPath: path) {
            ProcessExit.forget(path: path)
        }
    }

    /// Removes what test processes that no longer exist have left.
    private static func sweep() {
        let root = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] where name.hasPrefix(prefix) {
            let owner = name.dropFirst(prefix.count).prefix { $0 != "-" }
            guard let pid = pid_t(owner), pid != getpid(), kill(pid, 0) == -1, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(atPath: "\(root)/\(name)")
        }
    }
}
