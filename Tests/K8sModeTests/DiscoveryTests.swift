import Testing

@testable import K8sMode

@Suite struct DiscoveryTests {
    private func capabilities(
        major: String = "1",
        minor: String,
        v1: String?,
        beta: String?
    ) async throws -> ServerCapabilities {
        var result: ServerCapabilities?
        try await withFake { request, _ in
            func list(_ names: String?) -> FakeAnswer {
                guard let names else { return .status(404, "NotFound") }
                return .ok(#"{"kind":"APIResourceList","resources":[\#(names)]}"#)
            }
            switch request.path {
            case "/version":
                return .ok(#"{"major":"\#(major)","minor":"\#(minor)","gitVersion":"v\#(major).\#(minor)"}"#)
            case "/apis/batch/v1": return list(v1)
            case "/apis/batch/v1beta1": return list(beta)
            default: return .status(404, "NotFound")
            }
        } _: { _, client in
            result = try await client.capabilities()
        }
        return try #require(result)
    }

    private static let jobs = #"{"name":"jobs"},{"name":"jobs/status"}"#
    private static let cronJobs = #"{"name":"cronjobs"},{"name":"cronjobs/status"}"#

    @Test func oldServersHaveCronJobsInBeta() async throws {
        let old = try await capabilities(minor: "20+", v1: Self.jobs, beta: Self.cronJobs)
        #expect(old.cronJobs == .cronJobsBeta)
        #expect(old.timeZones == .unknown)
        #expect(old.release == ServerCapabilities.Release(major: 1, minor: 20))
    }

    @Test(arguments: [
        ("21", ServerCapabilities.TimeZones.unknown), ("24", .unknown), ("25", .beta), ("26+", .beta), ("27", .stable),
        ("40", .stable),
    ])
    func newServersHaveThemInV1(_ minor: String, zones: ServerCapabilities.TimeZones) async throws {
        let new = try await capabilities(minor: minor, v1: "\(Self.jobs),\(Self.cronJobs)", beta: nil)
        #expect(new.cronJobs == .cronJobs)
        #expect(new.timeZones == zones)
    }

    @Test func aServerWithoutThemSaysSo() async throws {
        #expect(try await capabilities(minor: "30", v1: Self.jobs, beta: nil).cronJobs == nil)
        #expect(
            try await capabilities(major: "2", minor: "0", v1: "\(Self.jobs),\(Self.cronJobs)", beta: nil).timeZones
                == .stable
        )
    }

    @Test(arguments: ["x", "", "+"]) func aVersionThatCannotBeReadIsAnError(_ minor: String) async throws {
        let error = await failure { try await capabilities(minor: minor, v1: nil, beta: nil) }
        #expect(error?.code == .badAnswer)
    }

    @Test func whatCannotBeReadIsNotMissing() async throws {
        for broken in [FakeAnswer.status(500, "InternalError"), .ok("{}"), .status(403, "Forbidden")] {
            try await withFake { request, _ in
                request.path == "/version" ? .ok(#"{"major":"1","minor":"30","gitVersion":"v1.30"}"#) : broken
            } _: { _, client in
                #expect(await failure { try await client.capabilities() } != nil)
            }
        }
    }
}
