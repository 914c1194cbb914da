import Foundation
import TestSupport
import Testing

@Suite struct ZipTests {
    @Test func aZipIsReadByUnzipWithContentsAndModes() async throws {
        let folder = try TemporaryFolder()
        let zip = makeZip([
            .folder("pkg"), .file("pkg/main.py", "print('hällo')\n"), .file("run", "#!/bin/sh\n", executable: true),
            .symlink("link", to: "run"), .fileWithoutMode("plain", ""),
        ])
        try Data(zip).write(to: URL(fileURLWithPath: folder.file("a.zip")))
        let test = try await runCommand(["unzip", "-t", "a.zip"], folder: folder.path)
        #expect(test.isSuccess, "\(test.text)\(test.errorText)")
        try await requireCommand(["unzip", "-q", "a.zip", "-d", "out"], folder: folder.path)
        #expect(try String(contentsOfFile: folder.file("out/pkg/main.py"), encoding: .utf8) == "print('hällo')\n")
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("out/run"))[.posixPermissions] as? Int
        #expect(mode == 0o755)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("out/link")) == "run")
    }

    @Test func hostileNamesAreWrittenAsTheyAre() async throws {
        let folder = try TemporaryFolder()
        let names = ["../up", "/absolute", "a\\..\\b", "same", "same"]
        try Data(makeZip(names.map { .file($0, "x") })).write(to: URL(fileURLWithPath: folder.file("a.zip")))
        let listed = try await requireCommand(
            [
                "python3", "-c",
                "import zipfile; print('|'.join(i.orig_filename for i in zipfile.ZipFile('a.zip').infolist()))",
            ],
            folder: folder.path
        )
        #expect(listed == names.joined(separator: "|") + "\n")
    }

    @Test func aFalseChecksumIsNoticed() async throws {
        let folder = try TemporaryFolder()
        var entry = ZipEntry.file("a", "text")
        entry.announcedChecksum = 1
        try Data(makeZip([entry])).write(to: URL(fileURLWithPath: folder.file("a.zip")))
        #expect(try await !runCommand(["unzip", "-t", "a.zip"], folder: folder.path).isSuccess)
    }
}
