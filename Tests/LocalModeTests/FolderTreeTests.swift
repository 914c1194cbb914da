import Foundation
import TestSupport
import Testing

@testable import LocalMode

@Suite struct FolderTreeTests {
    @Test func linksAreRemovedAndNeverFollowed() throws {
        let folder = try TemporaryFolder()
        try folder.write("kept/file", "x")
        try folder.write("gone/a/b/file", "x")
        symlink(folder.file("kept"), folder.file("gone/link"))
        symlink("/nowhere", folder.file("gone/a/dangling"))
        try FolderTree.remove(folder.file("gone"))
        #expect(!SystemFile.exists(folder.file("gone")))
        #expect(SystemFile.exists(folder.file("kept/file")))
        try FolderTree.remove(folder.file("gone"))
    }

    @Test func foldersWithoutModesAndDeepOnesGoToo() throws {
        let folder = try TemporaryFolder()
        try folder.write("gone/shut/file", "x")
        chmod(folder.file("gone/shut"), 0)
        let start = open(folder.file("gone"), O_RDONLY | O_DIRECTORY)
        var current = start
        // Deeper than any path can name.
        for _ in 0..<1500 {
            mkdirat(current, "deeper", 0o755)
            let next = openat(current, "deeper", O_RDONLY | O_DIRECTORY)
            close(current)
            current = next
        }
        close(current)
        try FolderTree.remove(folder.file("gone"))
        #expect(!SystemFile.exists(folder.file("gone")))
    }
}
