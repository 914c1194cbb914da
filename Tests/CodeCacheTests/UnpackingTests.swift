import Archive
import Foundation
import HTTP
import Logging
import ObjectStorage
import Runtime
import Synchronization
import TestSupport
import Testing
import Util

@testable import CodeCache

/// Unpacking into folders, from a server that answers as a test says.
@Suite(.timeLimit(.minutes(1))) struct UnpackingTests {
    private let folder: TemporaryFolder
    private let client = HTTPClient()
    private var bot: String { folder.file("bot") }
    private var state: String { folder.file("state") }

    init() throws {
        folder = try TemporaryFolder()
        for path in [bot, state] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
    }

    private static let code: [ZipEntry] = [
        .file("main.py", "print(1)"), .file("bin/run", "#!", executable: true), .symlink("bin/link", to: "run"),
        .fileWithoutMode("lib/x", "x"),
    ]

    /// Everything below a folder, relative, sorted.
    private func tree(_ path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
    }

    /// Runs an unpacking of what a server has for /code and /state; nil: there is no such object.
    private func unpack(
        code: FakeS3.Answer,
        state archive: FakeS3.Answer? = nil,
        sha256: String? = nil,
        ownsTarget: Bool = false,
        options: CodeUnpackingOptions = CodeUnpackingOptions()
    ) async throws {
        let fake = try FakeS3 { _, request in
            request.target.hasPrefix("/code") ? code : archive ?? .error(404, "NoSuchKey")
        }
        defer { fake.stop() }
        let executor = try BlockingExecutor(name: "unpack", threads: 2)
        let reader = ObjectLinkReader(
            client: client,
            executor: executor,
            options: S3Options(attempts: 2, backoff: try Backoff(initial: .milliseconds(1), maximum: .milliseconds(2)))
        )
        let unpacking = CodeUnpacking(
            reader: reader,
            executor: executor,
            options: options,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let link = { (path: String) in try ObjectLink(url: "http://\(fake.endpoint)/\(path)?X-Amz-Signature=hush-hush")
        }
        let order = UnpackOrder(code: try link("code"), sha256: sha256, state: archive == nil ? nil : try link("state"))
        do throws(RunnerError) {
            try await unpacking.run(order, into: bot, ownsTarget: ownsTarget, state: state)
        } catch {
            #expect(!error.message.contains("hush"))
            throw error
        }
    }

    private func zip(_ entries: [ZipEntry] = code) -> FakeS3.Answer { .object(makeZip(entries)) }

    /// A `tar.gz` as the0 v1.3 makes it: paths relative to the folder, folders before what is in them.
    private func saved(_ body: String = "") async throws -> FakeS3.Answer {
        let script = """
            import io, sys, tarfile
            t = tarfile.open(sys.argv[1], 'w:gz', format=tarfile.PAX_FORMAT)
            def add(name, type=tarfile.REGTYPE, content=b'{"a": 1}', link=''):
                i = tarfile.TarInfo(name); i.type = type; i.linkname = link
                i.mode = 0o755 if type == tarfile.DIRTYPE else 0o600
                i.size = len(content) if type == tarfile.REGTYPE else 0
                t.addfile(i, io.BytesIO(content))
            add('.the0-state', tarfile.DIRTYPE)
            add('.the0-state/key.json')
            add('own.db')
            \(body)
            t.close()
            """
        try await requireCommand(["python3", "-c", script, folder.file("state.tar.gz")])
        return .object([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("state.tar.gz")))))
    }

    private let restored = [".the0-state", ".the0-state/key.json", "own.db"]
    private let unpacked = [".the0-unpack", "bin", "bin/link", "bin/run", "lib", "lib/x", "main.py"]

    @Test func codeLiesThereAsInAnyMode() async throws {
        try await unpack(code: zip())
        #expect(try tree(bot) == unpacked)
        for (name, mode) in [("bin/run", 0o755), ("main.py", 0o644), ("lib/x", 0o664), ("bin", 0o755)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(bot)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(bot)/bin/link") == "run")
        #expect(try tree(state) == [])
    }

    @Test func runAgainItReplacesWhatItLeft() async throws {
        try await unpack(code: zip([.file("old.py", ""), .file("lib/old", "")]))
        try Data("by the bot".utf8).write(to: URL(fileURLWithPath: "\(bot)/result.json"))
        for _ in 0..<2 {
            try await unpack(code: zip())
            #expect(try tree(bot) == unpacked)
        }
        // A link of the bot's own in the place of a folder leads nowhere.
        try FileManager.default.removeItem(atPath: "\(bot)/lib")
        try FileManager.default.createSymbolicLink(atPath: "\(bot)/lib", withDestinationPath: state)
        try await unpack(code: zip())
        #expect(try tree(bot) == unpacked && tree(state) == [])
    }

    @Test func whatIsSomebodyElsesIsNotRemoved() async throws {
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(bot)/photo"))
        let error = try await #require(throws: RunnerError.self) { try await unpack(code: zip()) }
        #expect(error.code == .refused && error.message.contains(bot))
        #expect(try tree(bot) == ["photo"])
        try await unpack(code: zip(), ownsTarget: true)
        #expect(try tree(bot) == unpacked)
    }

    @Test func whatWasBrokenOffIsDoneAgain() async throws {
        // Killed while archives were worked on, or while the old code was replaced.
        for path in [".the0-unpack/code/main.py", ".the0-unpack/code.zip", "half.py"] {
            try folder.write("bot/\(path)", "half")
        }
        try await unpack(code: zip())
        #expect(try tree(bot) == unpacked)
    }

    @Test(arguments: [
        ([ZipEntry.file("../x", "")], RunnerError.Code.codeInvalid), ([.symlink("l", to: "/etc")], .codeInvalid),
        ([.device("d")], .codeInvalid), ([.file("a", ""), .file("a", "")], .codeInvalid), ([], .codeInvalid),
        ([.file(".the0-unpack/x", "")], .codeInvalid),
        ([.file("main.py", String(repeating: "x", count: 200_000))], .codeInvalid),
    ])
    func f27HostileCodeChangesNothing(_ entries: [ZipEntry], _ code: RunnerError.Code) async throws {
        try await unpack(code: zip())
        var options = CodeUnpackingOptions()
        options.limits.maxTotalBytes = 100_000
        let error = try await #require(throws: RunnerError.self) {
            try await unpack(code: zip(entries), options: options)
        }
        #expect(error.code == code && error.message.contains("the code can't be unpacked"), "\(error)")
        #expect(try tree(bot) == unpacked)
    }

    @Test func codeThatCannotBeHadChangesNothing() async throws {
        try await unpack(code: zip())
        for (answer, part) in [
            (FakeS3.Answer.error(403, "AccessDenied"), "expired"), (.error(404, "NoSuchKey"), "no such object"),
            (.error(503, "SlowDown"), "status 503"),
        ] {
            let error = try await #require(throws: RunnerError.self) { try await unpack(code: answer) }
            #expect(error.code == .codeUnavailable)
            #expect(error.message.contains(part) && error.message.contains("the code can't be fetched"), "\(error)")
        }
        let other = try await #require(throws: RunnerError.self) {
            try await unpack(code: zip(), sha256: String(repeating: "0", count: 64))
        }
        #expect(other.message.contains("SHA-256"))
        let large = try await #require(throws: RunnerError.self) {
            try await unpack(code: zip(), options: CodeUnpackingOptions(maximumDownload: 10))
        }
        #expect(large.code == .codeInvalid)
        #expect(try tree(bot) == unpacked)
    }

    @Test func stateIsRestoredWhereThereIsNone() async throws {
        try FileManager.default.createDirectory(atPath: "\(state)/lost+found", withIntermediateDirectories: false)
        try await unpack(code: zip(), state: try await saved())
        #expect(try tree(state) == (restored + ["lost+found"]).sorted())
        #expect(try String(contentsOfFile: "\(state)/.the0-state/key.json", encoding: .utf8) == #"{"a": 1}"#)
        #expect(try tree(bot) == unpacked)
    }

    @Test func stateThatIsThereIsNeverOverwritten() async throws {
        try folder.write("state/.the0-state/key.json", "newer")
        try await unpack(code: zip(), state: try await saved())
        #expect(try tree(state) == [".the0-state", ".the0-state/key.json"])
        #expect(try String(contentsOfFile: "\(state)/.the0-state/key.json", encoding: .utf8) == "newer")
    }

    @Test(arguments: ["NoSuchKey", "NoSuchBucket"]) func aBotWithoutSavedStateBeginsWithout(_ code: String) async throws
    {
        try await unpack(code: zip(), state: .error(404, code))
        #expect(try tree(state) == [] && tree(bot) == unpacked)
    }

    @Test func f58AFailedRestoreStopsTheStartAndLeavesNothingHalfRestored() async throws {
        let whole = try await saved()
        guard case .whole(_, _, let bytes) = whole else { throw FixtureError("not an answer") }
        var damaged = bytes
        damaged[damaged.count / 2] ^= 0xFF
        for (archive, code) in [
            (FakeS3.Answer.error(403, "AccessDenied"), RunnerError.Code.codeUnavailable),
            (.error(503, "SlowDown"), .codeUnavailable), (.text(404, "<html>"), .codeUnavailable),
            (.reset(after: []), .codeUnavailable), (.object([]), .codeInvalid),
            (.object(Array(bytes.dropLast(20))), .codeInvalid), (.object(damaged), .codeInvalid),
            (try await saved("add('../escaped')"), .codeInvalid),
            (try await saved("add('link', tarfile.SYMTYPE, link='/etc')"), .codeInvalid),
            (try await saved("add('.the0-restored')"), .codeInvalid),
            (try await saved("add('pipe', tarfile.FIFOTYPE)"), .codeInvalid),
        ] {
            let error = try await #require(throws: RunnerError.self) { try await unpack(code: zip(), state: archive) }
            #expect(error.code == code, "\(error)")
            #expect(error.message.contains("the bot's state can't be restored"))
            #expect(try tree(state) == [])
            // Without its code there is nothing to start either.
            #expect(try tree(bot) == [".the0-unpack"])
        }
        // The next attempt has what it needs.
        try await unpack(code: zip(), state: whole)
        #expect(try tree(state) == restored && tree(bot) == unpacked)
    }

    @Test func f58ARestoreThatWasKilledIsNeverTakenForAState() async throws {
        // Before all of it was there: it begins anew.
        try folder.write("state/.the0-restoring/own.db", "half")
        try await unpack(code: zip(), state: try await saved())
        #expect(try tree(state) == restored)
        #expect(try String(contentsOfFile: "\(state)/own.db", encoding: .utf8) == #"{"a": 1}"#)
        // After all of it was there, and half moved: it goes on without the archive.
        try FileManager.default.removeItem(atPath: "\(state)/own.db")
        try folder.write("state/.the0-restored/own.db", "whole")
        try await unpack(code: zip(), state: .error(403, "AccessDenied"))
        #expect(try tree(state) == restored)
        #expect(try String(contentsOfFile: "\(state)/own.db", encoding: .utf8) == "whole")
        // Also when there is no archive any more.
        try FileManager.default.removeItem(atPath: "\(state)/own.db")
        try folder.write("state/.the0-restored/own.db", "again")
        try await unpack(code: zip())
        #expect(try tree(state) == restored)
    }

    @Test func withoutStateToRestoreItsFolderMayBeMissing() async throws {
        try FileManager.default.removeItem(atPath: state)
        try await unpack(code: zip())
        #expect(try tree(bot) == unpacked)
        let error = try await #require(throws: RunnerError.self) {
            try await unpack(code: zip(), state: try await saved())
        }
        #expect(error.message.contains("state"))
    }
}
