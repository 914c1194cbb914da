import HTTP
public import Util

/// What of a container's log is wanted.
public struct PodLogQuery: Sendable, Hashable {
    /// Which container; nil where the Pod has only one.
    public var container: String?
    /// Whether the stream goes on until the container ends.
    public var follow: Bool
    /// Whether the log is of the container's predecessor, from before its last restart.
    public var previous: Bool
    /// Only what was written since; the server takes whole seconds only, and gives the whole of the first one.
    public var since: Timestamp?
    /// Only so many lines at the end.
    public var tailLines: Int?
    /// Whether each line begins with its time, in RFC 3339 with nanoseconds, and a space.
    public var timestamps: Bool
    /// Only so many bytes.
    public var limitBytes: Int?

    /// A query; all that is there unless said otherwise.
    public init(
        container: String? = nil,
        follow: Bool = false,
        previous: Bool = false,
        since: Timestamp? = nil,
        tailLines: Int? = nil,
        timestamps: Bool = true,
        limitBytes: Int? = nil
    ) {
        self.container = container
        self.follow = follow
        self.previous = previous
        self.since = since
        self.tailLines = tailLines
        self.timestamps = timestamps
        self.limitBytes = limitBytes
    }

    var query: [(name: String, value: String)] {
        var query: [(name: String, value: String)] = []
        if let container { query.append(("container", container)) }
        if follow { query.append(("follow", "true")) }
        if previous { query.append(("previous", "true")) }
        if let since { query.append(("sinceTime", since.wholeSecond)) }
        if let tailLines { query.append(("tailLines", String(tailLines))) }
        if timestamps { query.append(("timestamps", "true")) }
        if let limitBytes { query.append(("limitBytes", String(limitBytes))) }
        return query
    }
}

/// A log's bytes as they come; stdout and stderr are one in it. The server is slowed down when it isn't read.
public struct PodLog: AsyncSequence, Sendable {
    /// Some bytes; not whole lines.
    public typealias Element = [UInt8]
    /// What ends it early.
    public typealias Failure = K8sError
    let body: HTTPResponseBody

    /// Reads the bytes.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var pieces: HTTPResponseBody.AsyncIterator

        /// The next bytes; nil at the end.
        public mutating func next() async throws(K8sError) -> [UInt8]? {
            do { return try await pieces.next() } catch { throw K8sError(error) }
        }

        /// The next bytes; nil at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(K8sError) -> [UInt8]? {
            do { return try await pieces.next(isolation: actor) } catch { throw K8sError(error) }
        }
    }

    /// An iterator; only one may be in use.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: body.makeAsyncIterator()) }
}

extension Resources where Object == Pod {
    /// Opens a container's log.
    /// - Throws: ``K8sError``: `notFound` for a Pod that is gone, `refused` for a container that hasn't been started.
    public func log(of pod: String, _ query: PodLogQuery = PodLogQuery()) async throws(K8sError) -> PodLog {
        guard !pod.isEmpty, namespace != nil else {
            throw K8sError(.invalid, "log: the Pod's name or namespace is missing")
        }
        var call = call("get", method: .get, name: pod, subresource: "log")
        call.accept = "*/*"
        call.query = query.query
        call.deadlines =
            query.follow ? K8sCall.stream : HTTPDeadlines(connect: .seconds(10), idle: .seconds(65), total: nil)
        return PodLog(body: try await client.open(call).body)
    }
}
