import Glibc
import Runtime
import Testing

@Suite struct CodeFolderTests {
    @Test func listsFilesInAFixedOrder() throws {
        let folder = try TestFolder()
        try folder.write("b.py", "b")
        try folder.write("a/z.py", "z")
        try folder.write("ä.py", "ä")
        #expect(try folder.code.files() == ["a/z.py", "b.py", "ä.py"])
        #expect(try folder.code.entries().map(\.path) == ["a", "a/z.py", "b.py", "ä.py"])
    }

    @Test func leavesOutWhatIsNoCode() throws {
        let folder = try TestFolder()
        for path in [
            "main.py", ".git/config", "lib/.git/HEAD", "__pycache__/main.pyc", "lib/__pycache__/x.pyc", ".DS_Store",
            "lib/.DS_Store", "bots.yaml", "lib/bots.yaml", "bot-config.yaml",
        ] { try folder.write(path, path) }
        #expect(try folder.code.files() == ["bot-config.yaml", "lib/bots.yaml", "main.py"])
    }

    @Test func honoursTheIgnoreFile() throws {
        let folder = try TestFolder()
        for path in [
            "main.py", "notes.txt", "docs/keep.txt", "docs/a.md", "build/out.bin", "src/build/out.bin", "build.py",
            "data/x.csv", "src/data/x.csv", "a1.log", "a12.log", "deep/er/t.tmp", "x.pyc", "x.pyo", "#odd",
        ] { try folder.write(path, path) }
        try folder.write(
            ".the0ignore",
            "# comment\n\n*.txt\n!docs/keep.txt  \nbuild/\r\n/data\na?.log\ndeep/**/t.tmp\n*.py[co]\n\\#odd\n"
        )
        #expect(
            try folder.code.files() == [
                ".the0ignore", "a12.log", "build.py", "docs/a.md", "docs/keep.txt", "main.py", "src/data/x.csv",
            ]
        )
    }

    @Test func patternsThatBacktrackEndSoon() throws {
        let folder = try TestFolder()
        try folder.write(String(repeating: "a", count: 250), "")
        let stars = String(repeating: "*a", count: 120) + "b"
        let folders = String(repeating: "**/a/", count: 60) + "b"
        try folder.write(".the0ignore", stars + "\n" + folders + "\n")
        try folder.write(String(repeating: "a/", count: 60) + "c", "")
        #expect(try folder.code.files().count == 3)
    }

    @Test func digestFollowsTheCodeAlone() throws {
        let first = try TestFolder()
        let second = try TestFolder()
        for folder in [first, second] {
            try folder.write("main.py", "print(1)")
            try folder.write("lib/x.py", "x = 1")
        }
        let before = try first.code.digest()
        #expect(try second.code.digest() == before)
        try first.write("__pycache__/main.pyc", "cached")
        #expect(try first.code.digest() == before)

        try first.write("main.py", "print(2)")
        let edited = try first.code.digest()
        #expect(edited != before)
        #expect(chmod(first.path + "/main.py", 0o755) == 0)
        let executable = try first.code.digest()
        #expect(executable != edited)
        #expect(rename(first.path + "/lib/x.py", first.path + "/lib/y.py") == 0)
        #expect(try first.code.digest() != executable)
    }

    @Test func digestCoversLinksWithoutFollowingThem() throws {
        let folder = try TestFolder()
        try folder.write("a", "1")
        #expect(symlink("a", folder.path + "/link") == 0)
        #expect(symlink("/etc/passwd", folder.path + "/outside") == 0)
        let before = try folder.code.digest()
        #expect(try folder.code.files() == ["a"])
        #expect(unlink(folder.path + "/link") == 0)
        #expect(symlink("b", folder.path + "/link") == 0)
        #expect(try folder.code.digest() != before)
    }

    @Test func contentsCannotMoveBetweenFiles() throws {
        let first = try TestFolder()
        try first.write("a", "bc")
        try first.write("d", "")
        let second = try TestFolder()
        try second.write("a", "b")
        try second.write("d", "c")
        #expect(try first.code.digest() != second.code.digest())
    }

    @Test func fingerprintSeesAnEditThatKeepsSizeAndTime() throws {
        let folder = try TestFolder()
        try folder.write("main.py", "aaaa")
        let before = try folder.code.fingerprint()
        #expect(try folder.code.fingerprint() == before)
        var status = stat()
        #expect(stat(folder.path + "/main.py", &status) == 0)
        // The clock of file times ticks every few milliseconds: write until the change time moved.
        var now = status
        while now.st_ctim.tv_nsec == status.st_ctim.tv_nsec, now.st_ctim.tv_sec == status.st_ctim.tv_sec {
            try folder.write("main.py", "bbbb")
            #expect(utimensat(AT_FDCWD, folder.path + "/main.py", [status.st_atim, status.st_mtim], 0) == 0)
            #expect(stat(folder.path + "/main.py", &now) == 0)
        }
        #expect(try folder.code.fingerprint() != before)
    }

    @Test func refusesWhatCannotBeCode() throws {
        let folder = try TestFolder()
        try folder.write("main.py", "")
        #expect(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let error = #expect(throws: RunnerError.self) { try folder.code.digest() }
        #expect(error?.code == .codeInvalid)
        #expect(error?.message.contains("pipe") == true)
    }

    @Test func refusesABinaryIgnoreFile() throws {
        let folder = try TestFolder()
        try folder.write(".the0ignore", bytes: [0xFF, 0xFE])
        #expect(throws: RunnerError.self) { try folder.code.files() }
        try folder.write(".the0ignore", bytes: [UInt8](repeating: 0x61, count: 65_537))
        let error = #expect(throws: RunnerError.self) { try folder.code.files() }
        #expect(error?.code == .codeInvalid)
    }

    @Test func aMissingFolderMayComeBack() {
        let error = #expect(throws: RunnerError.self) { try CodeFolder(path: "/nonexistent/bot").digest() }
        #expect(error?.code == .codeUnavailable)
        #expect(error?.isRetryable == true)
        let file = #expect(throws: RunnerError.self) { try CodeFolder(path: "/etc/passwd").files() }
        #expect(file?.code == .codeInvalid)
    }
}

/// A folder of its own that is removed again.
private final class TestFolder {
    let path: String
    var code: CodeFolder { CodeFolder(path: path) }

    init() throws {
        var template = Array("/tmp/code-folder-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { removeAll(path) }

    func write(_ name: String, _ text: String) throws { try write(name, bytes: Array(text.utf8)) }

    func write(_ name: String, bytes: [UInt8]) throws {
        var parent = path
        for part in name.split(separator: "/").dropLast() {
            parent += "/" + part
            mkdir(parent, 0o755)
        }
        let descriptor = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }
}

private func removeAll(_ path: String) {
    if unlink(path) == 0 { return }
    if let stream = opendir(path) {
        defer { closedir(stream) }
        while let found = readdir(stream) {
            let name = withUnsafePointer(to: &found.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeAll(path + "/" + name) }
        }
    }
    rmdir(path)
}
