import Foundation
import Model
import TestSupport
import Testing

@testable import LocalMode

@Suite struct ProcessIdentityTests {
    @Test func aProcessIsKnownByNumberAndStartTime() async throws {
        let child = try ChildProcess(["sleep", "983"])
        let identity = try #require(ProcessIdentity(running: child.pid))
        #expect(identity.isRunning)
        let other = ProcessIdentity(pid: identity.pid, startTime: identity.startTime + 1)
        #expect(!other.isRunning)
        #expect(!other.send(SIGKILL))
        #expect(child.termination == nil)
        #expect(identity.send(SIGKILL))
        _ = await child.ended()
        #expect(!identity.isRunning)
    }

    @Test func descendantsAreFoundWhateverTheirParents() async throws {
        let child = try ChildProcess(["sh", "-c", "sh -c 'sleep 982; true'; true"])
        try await eventually("the grandchild") {
            try ProcessTable.descendants(of: [child.pid]).count == 2
        }
        let tree = try ProcessTable.descendants(of: [child.pid])
        #expect(!tree.contains { $0.pid == child.pid })
        child.killGroup()
        _ = await child.ended()
    }

    @Test func identitiesSurviveBeingWrittenDown() throws {
        let identity = ProcessIdentity(pid: 17, startTime: 99)
        #expect(ProcessIdentity(identity.json) == identity)
        #expect(ProcessIdentity(["pid": 0, "start": 1]) == nil)
        #expect(ProcessIdentity(["pid": 99_999_999_999, "start": 1]) == nil)
        #expect(ProcessIdentity(nil) == nil)
    }
}
