import HTTP
import Model

/// What happened to an object.
public enum WatchEvent<Object: K8sObject>: Sendable {
    /// It is there, new or for the first time in this watch.
    case added(Object)
    /// It has changed.
    case modified(Object)
    /// It is gone; this is its last state.
    case deleted(Object)
    /// Nothing; a later watch may begin here.
    case bookmark(resourceVersion: String)
}

/// The changes since a moment, as they come; ends when the server ends it, which it does every few minutes.
public struct WatchEvents<Object: K8sObject>: AsyncSequence, Sendable {
    /// One change.
    public typealias Element = WatchEvent<Object>
    /// What ends it early; with code `expired` the moment is forgotten, and everything has to be listed again.
    public typealias Failure = K8sError
    let body: HTTPResponseBody
    let call: K8sCall
    let resource: APIResource

    /// Longer than any object that etcd takes (1.5 MiB), in JSON with its managed fields.
    static var longestLine: Int { 16 << 20 }

    /// Reads the changes.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var pieces: HTTPResponseBody.AsyncIterator
        private var splitter = LineSplitter(limit: WatchEvents.longestLine)
        private var lines: ArraySlice<[UInt8]> = []
        private let call: K8sCall
        private let resource: APIResource

        init(_ events: WatchEvents) {
            pieces = events.body.makeAsyncIterator()
            call = events.call
            resource = events.resource
        }

        /// The next change; nil at the end.
        public mutating func next() async throws(K8sError) -> WatchEvent<Object>? {
            try await next(isolation: #isolation)
        }

        /// The next change; nil at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(K8sError) -> WatchEvent<Object>?
        {
            while true {
                if let line = lines.popFirst() {
                    guard !line.isEmpty else { continue }
                    return try event(line)
                }
                let piece: [UInt8]?
                do { piece = try await pieces.next(isolation: actor) } catch { throw K8sError(error) }
                guard let piece else {
                    guard splitter.isBetweenLines else { throw nonsense("it ends within an event") }
                    return nil
                }
                lines = try splitter.add(piece, call)[...]
            }
        }

        private func event(_ line: [UInt8]) throws(K8sError) -> WatchEvent<Object> {
            guard let event = (try? JSONValue.parse(line))?.object, let type = event["type"]?.string else {
                throw nonsense("an event of \(line.count) bytes is no JSON object with a type")
            }
            if type == "ERROR" {
                guard let status = event["object"].flatMap({ K8sStatus($0) }) else {
                    throw nonsense("an error without a status")
                }
                throw K8sError(call, status, retryAfter: status.retryAfterSeconds.map { .seconds($0) })
            }
            guard let json = event["object"]?.object, let version = json[["metadata", "resourceVersion"]]?.string,
                !version.isEmpty
            else { throw nonsense("an event without an object that has a resourceVersion") }
            if type == "BOOKMARK" { return .bookmark(resourceVersion: version) }
            guard json[["metadata", "name"]]?.string != nil else { throw nonsense("an object without a name") }
            let object = Object(json: json)
            switch type {
            case "ADDED": return .added(object)
            case "MODIFIED": return .modified(object)
            case "DELETED": return .deleted(object)
            default: throw nonsense("an event of the unknown type \(type.escapedForMessage)")
            }
        }

        private func nonsense(_ problem: String) -> K8sError {
            K8sError(.badAnswer, "API server, watch of \(call.path): \(problem)")
        }
    }

    /// An iterator; only one may be in use.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}

extension Resources {
    /// The changes to a selection's objects since a moment.
    /// - Parameters:
    ///   - selection: which objects.
    ///   - resourceVersion: the moment, from a list, an event or a bookmark.
    ///   - timeoutSeconds: when the server ends it; it is given up half a minute later.
    /// - Throws: ``K8sError``, with code `expired` when the moment is forgotten.
    public func watch(
        _ selection: Selection = Selection(),
        from resourceVersion: String,
        timeoutSeconds: Int = 300
    ) async throws(K8sError) -> WatchEvents<Object> {
        var call = call("watch", method: .get)
        call.query =
            selection.query + [
                ("watch", "true"), ("resourceVersion", resourceVersion), ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", String(timeoutSeconds)),
            ]
        call.deadlines = HTTPDeadlines(connect: .seconds(10), idle: nil, total: .seconds(timeoutSeconds + 30))
        if isMetadataOnly { call.accept = K8sCall.metadata(list: false) }
        let response = try await client.open(call)
        return WatchEvents(body: response.body, call: call, resource: resource)
    }
}

/// Cuts pieces of a stream into lines, each bounded.
struct LineSplitter: Sendable {
    private let limit: Int
    private var line: [UInt8] = []

    /// - Parameter limit: the longest line in bytes.
    init(limit: Int) {
        self.limit = limit
    }

    var isBetweenLines: Bool { line.isEmpty }

    /// The lines that end in a piece, without their ends.
    /// - Throws: ``K8sError`` with code `badAnswer` for a line beyond the limit.
    mutating func add(_ piece: [UInt8], _ call: K8sCall) throws(K8sError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            line += piece[start..<end]
            lines.append(line)
            line = []
            start = end + 1
        }
        line += piece[start...]
        guard line.count <= limit else {
            throw K8sError(.badAnswer, "API server, watch of \(call.path): a line has more than \(limit) bytes")
        }
        return lines
    }
}
