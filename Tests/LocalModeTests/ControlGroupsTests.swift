import Runtime
import Testing

@testable import LocalMode

@Suite struct ControlGroupsTests {
    private let resources = Resources(memoryLimit: 64 << 20, memoryRequest: 1, cpuLimit: 250, cpuRequest: 1)

    @Test func versionOneHasATreeForEachController() {
        let found = ControlGroups.hierarchies(
            mounts: """
                1 2 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw
                3 1 0:2 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
                4 1 0:3 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
                5 1 0:4 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
                """,
            own: "4:memory:/a/b\n3:cpu,cpuacct:/\n2:devices:/x\n"
        )
        #expect(Set(found.map(\.parent)) == ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory/a/b"])
        let orders = ControlGroups(hierarchies: found).orders("x", resources, processLimit: 9)
        let settings = orders.flatMap(\.settings)
        #expect(settings.contains(.init(file: "memory.limit_in_bytes", value: "67108864", limit: "memory")))
        #expect(settings.contains(.init(file: "cpu.cfs_quota_us", value: "25000", limit: "cpu")))
        #expect(orders.map(\.path).allSatisfy { $0.hasSuffix("/the0-x") })
    }

    @Test func versionTwoHasOneTreeWhosePathCountsFromTheMount() {
        let found = ControlGroups.hierarchies(
            mounts: "30 23 0:26 /docker/abc /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n",
            own: "0::/docker/abc/leaf\n"
        )
        #expect(found == [.init(isUnified: true, controllers: [], parent: "/sys/fs/cgroup/leaf")])
        var unified = found
        unified[0].controllers = ["memory", "pids", "cpu"]
        let orders = ControlGroups(hierarchies: unified).orders("x", resources, processLimit: 9)
        #expect(orders[0].settings.contains(.init(file: "cpu.max", value: "25000 100000", limit: "cpu")))
        #expect(orders[0].settings.contains(.init(file: "pids.max", value: "9", limit: "pids")))
    }

    @Test func withoutAnyNothingIsAskedFor() {
        #expect(ControlGroups.hierarchies(mounts: "", own: "").isEmpty)
        #expect(ControlGroups.none.orders("x", resources, processLimit: 9).isEmpty)
    }
}
