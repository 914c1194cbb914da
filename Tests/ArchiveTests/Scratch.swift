import Foundation
import Testing

@testable import Archive

/// A temporary directory that disappears with its owner.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/archive-tests-XXXXXX".utf8CString)
        let made = mkdtemp(&template).map { String(cString: $0) }
        path = try #require(made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String, mode: Int = 0o644) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self(name))
        return self(name)
    }

    func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name)))) }
    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    /// Everything below, relative, sorted; links are not followed.
    func tree(_ name: String = "") throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: name.isEmpty ? path : self(name)).sorted()
    }

    /// Open descriptors of this process that lead into the directory.
    func openDescriptors() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0) }
            .filter { $0.hasPrefix(path) }
    }

    /// Repacks these bytes into `code.tar`.
    func repack(_ zip: [UInt8], limits: ArchiveLimits = ArchiveLimits()) throws(ArchiveError) -> ArchiveSummary {
        do { try write(zip, to: "code.zip") } catch { Issue.record(error) }
        return try repackZip(
            at: self("code.zip"),
            to: self("code.tar"),
            owner: FileOwnership(uid: 1000, gid: 2000),
            limits: limits
        )
    }

    /// The error of repacking, after checking that nothing is left of the attempt.
    func refusal(_ zip: [UInt8], limits: ArchiveLimits = ArchiveLimits()) throws -> ArchiveError {
        let error = try #require(throws: ArchiveError.self) { try self.repack(zip, limits: limits) }
        #expect(try tree() == ["code.zip"])
        #expect(try openDescriptors().isEmpty)
        return error
    }
}

/// Runs Python 3 on a script and returns what it prints.
@discardableResult
func python(_ script: String, _ arguments: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return String(decoding: text, as: UTF8.self)
}

/// One line per entry of a tar, as Python's tarfile sees it: type, mode, uid:gid, time, size, name, link.
func listing(ofTar path: String) throws -> [String] {
    try python(
        """
        import sys, tarfile
        for m in tarfile.open(sys.argv[1], 'r:'):
            print(m.type.decode(), oct(m.mode), f'{m.uid}:{m.gid}', int(m.mtime), m.size, m.name, m.linkname)
        """,
        path
    ).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
}
