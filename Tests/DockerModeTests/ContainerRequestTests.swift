import Model
import Runtime
import Testing

@testable import DockerMode

@Suite struct ContainerRequestTests {
    /// A pass that doesn't know the bot may remove the volume after it was made; the engine then makes it with the container.
    @Test func theStateVolumeHasItsLabelsHoweverItComesIntoBeing() throws {
        let request = ContainerRequest(
            spec: try fakeSpec("a/b"),
            attempt: 0,
            names: ObjectNames(instance: "one"),
            settings: DockerSettings(),
            image: "image",
            network: "network"
        )
        guard case .array(let mounts) = request.json.object?["HostConfig"]?.object?["Mounts"] else {
            Issue.record("no mounts")
            return
        }
        let mount = try #require(mounts.compactMap(\.object).first { $0["Target"] == "/state" })
        #expect(mount["Source"] == request.stateVolume.object?["Name"])
        let labels = mount["VolumeOptions"]?.object?["Labels"]
        #expect(labels == request.stateVolume.object?["Labels"])
        #expect(labels?.object?["runtime.id"] == "a/b")
        #expect(labels?.object?["runtime.instance"] == "one")
    }
}
