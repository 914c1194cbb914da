import Foundation
import Testing

@testable import Archive

@Suite struct FolderContentTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func make(_ paths: String...) throws {
        for path in paths {
            let parent = URL(fileURLWithPath: scratch(path)).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try scratch.write(Array(path.utf8), to: path)
        }
    }

    /// It can't be copied, so each use has one of its own.
    private func names(_ path: String) throws -> [String] { try FolderContent(of: scratch(path)).names() }

    @Test func everythingIsRemovedAndNoLinkFollowed() throws {
        try make("top/a", "top/b/c/d", "top/keep/e", "outside/f")
        try FileManager.default.createSymbolicLink(atPath: scratch("top/l"), withDestinationPath: scratch("outside"))
        try FileManager.default.createSymbolicLink(atPath: scratch("top/b/l"), withDestinationPath: "../../outside")
        #expect(chmod(scratch("top/b/c"), 0o555) == 0)
        let content = try FolderContent(of: scratch("top"))
        try content.removeAll(but: ["keep"])
        #expect(try scratch.tree() == ["outside", "outside/f", "top", "top/keep", "top/keep/e"])
        try content.remove("keep")
        try content.remove("keep")
        #expect(try names("top") == [])
    }

    private func moveAll() throws {
        try FolderContent(of: scratch("from")).moveAll(into: FolderContent(of: scratch("to")))
    }

    @Test func everythingIsMovedButOverNothing() throws {
        try make("from/a", "from/b/c", "to/z", "to/b/there")
        let error = try #require(throws: ArchiveError.self) { try moveAll() }
        #expect(error.code == .duplicate && error.entry == "b")
        #expect(try scratch.text("to/b/there") == "to/b/there")
        // What stood in the way is gone: it goes on where it was.
        try FolderContent(of: scratch("to")).remove("b")
        try moveAll()
        #expect(try scratch.tree("to") == ["a", "b", "b/c", "z"])
        #expect(try names("from") == [])
    }

    private func move(_ name: String) throws {
        let content = try FolderContent(of: scratch("top"))
        try content.move(name, into: content, as: "c")
    }

    @Test func oneIsMovedUnderAnotherName() throws {
        try make("top/a", "top/b")
        try move("a")
        let error = try #require(throws: ArchiveError.self) { try move("b") }
        #expect(error.code == .duplicate)
        #expect(try names("top") == ["b", "c"])
    }

    @Test func aMissingFolderIsAnError() throws {
        let error = try #require(throws: ArchiveError.self) { _ = try names("none") }
        #expect(error.code == .io && error.message.contains("none"))
    }
}
