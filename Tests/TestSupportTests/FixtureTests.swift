import Foundation
import TestSupport
import Testing

@Suite struct FixtureTests {
    @Test func aFolderGoesWithItsOwner() throws {
        var folder: TemporaryFolder? = try TemporaryFolder()
        let path = try #require(folder?.path)
        try folder?.write("a/b", "text", executable: true)
        #expect(access("\(path)/a/b", X_OK) == 0)
        folder = nil
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func portsAreDistinct() throws {
        let ports = try (0..<200).map { _ in try freePort() }
        #expect(Set(ports).count == 200)
    }

    @Test func waitingTellsTheLastError() async throws {
        let error = await #expect(throws: FixtureError.self) {
            try await eventually(within: .milliseconds(20), "the impossible") { throw FixtureError("why") }
        }
        #expect(error?.description.contains("the impossible") == true)
        #expect(error?.description.contains("why") == true)
    }
}
