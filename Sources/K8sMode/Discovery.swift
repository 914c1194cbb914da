import Model

/// What a server can do, as far as it matters here.
public struct ServerCapabilities: Sendable, Hashable {
    /// The server's version as it calls itself, as `v1.31.2+k3s1`.
    public let version: String
    /// Major and minor version.
    public let release: Release
    /// Where the server has CronJobs; nil where it has none.
    public let cronJobs: APIResource?
    /// Whether a CronJob's schedule can be in a time zone.
    public let timeZones: TimeZones

    /// A version's first two numbers.
    public struct Release: Sendable, Hashable, Comparable {
        /// The first.
        public let major: Int
        /// The second.
        public let minor: Int

        /// A version.
        public init(major: Int, minor: Int) {
            self.major = major
            self.minor = minor
        }

        /// By age.
        public static func < (left: Release, right: Release) -> Bool {
            (left.major, left.minor) < (right.major, right.minor)
        }
    }

    /// How far a server knows `spec.timeZone` of CronJobs.
    public enum TimeZones: String, Sendable, Hashable {
        /// The field is dropped in silence: schedules run in the zone of the controller manager.
        case unknown
        /// On unless its operator has turned it off (1.25 and 1.26): whether the field survives a dry run tells.
        case beta
        /// Always (from 1.27).
        case stable
    }

    init(version: String, release: Release, cronJobs: APIResource?) {
        self.version = version
        self.release = release
        self.cronJobs = cronJobs
        let isStable = cronJobs == .cronJobs
        if isStable, release >= Release(major: 1, minor: 27) {
            timeZones = .stable
        } else if isStable, release >= Release(major: 1, minor: 25) {
            timeZones = .beta
        } else {
            timeZones = .unknown
        }
    }
}

extension K8sClient {
    /// Asks the server what it is and has. The answer holds until the server is another one: an upgrade shows as
    /// `notFound` on what was there before.
    /// - Throws: ``K8sError``; what can't be read isn't taken for missing.
    public func capabilities() async throws(K8sError) -> ServerCapabilities {
        let call = K8sCall(path: "/version")
        guard let answer = try await send(call).object, let version = answer["gitVersion"]?.string,
            let release = ServerCapabilities.Release(major: answer["major"]?.string, minor: answer["minor"]?.string)
        else { throw K8sError(.badAnswer, "API server, GET /version: the answer has no version") }
        var cronJobs: APIResource?
        for candidate in [APIResource.cronJobs, .cronJobsBeta] where cronJobs == nil {
            if try await has(candidate) { cronJobs = candidate }
        }
        return ServerCapabilities(version: version.onOneLine, release: release, cronJobs: cronJobs)
    }

    private func has(_ resource: APIResource) async throws(K8sError) -> Bool {
        let call = K8sCall(path: K8sCall.path(["apis", resource.group, resource.version]))
        let answer: JSONValue
        do { answer = try await send(call) } catch {
            if error.code == .notFound { return false }
            throw error
        }
        guard let list = answer.object, list["kind"]?.string == "APIResourceList", let found = list["resources"]?.array
        else {
            throw K8sError(.badAnswer, "API server, \(call.name): the answer is no APIResourceList")
        }
        return found.contains { $0.object?["name"]?.string == resource.plural }
    }
}

extension ServerCapabilities.Release {
    /// Providers write `20+` for the minor version.
    init?(major: String?, minor: String?) {
        func number(_ text: String?) -> Int? { text.flatMap { Int($0.prefix { ("0"..."9").contains($0) }) } }
        guard let major = number(major), let minor = number(minor) else { return nil }
        self.init(major: major, minor: minor)
    }
}
