import Model
import Synchronization
import Util

@testable import K8sMode

/// No cluster: objects in memory behind a ``FakeAPIServer``, with the server's rules for names, uids, versions and deletions as
/// far as a runner meets them. Nothing runs there; a test says what becomes of a Pod.
final class FakeCluster: Sendable {
    struct State {
        var objects: [String: [String: JSONObject]] = [:]
        var version = 100
        var watches: [Watch] = []
        /// Answers instead of the cluster, for what is to go wrong.
        var override: (@Sendable (FakeRequest) -> FakeAnswer?)?
        /// Whether changes are told to those who watch.
        var tells = true
        var untold: [(collection: String, type: String, object: JSONObject)] = []
    }
    struct Watch {
        let collection: String
        let selector: String
        let feed: FakeFeed
    }
    private let state = Mutex(State())

    static let kinds = [
        "pods": "Pod", "secrets": "Secret", "persistentvolumeclaims": "PersistentVolumeClaim", "events": "Event",
        "nodes": "Node", "jobs": "Job", "cronjobs": "CronJob",
    ]
    /// What of these is in groups of its own.
    static let groups = ["jobs": "batch/v1", "cronjobs": "batch/v1"]

    func override(_ answer: (@Sendable (FakeRequest) -> FakeAnswer?)?) { state.withLock { $0.override = answer } }

    /// Ends all watches, as a server does that goes down.
    func closeWatches() {
        let watches = state.withLock { state in
            defer { state.watches = [] }
            return state.watches
        }
        for watch in watches { watch.feed.close() }
    }

    /// Holds back what changes, as a slow watch does; or tells it.
    func tell(_ tells: Bool) {
        state.withLock { state in
            state.tells = tells
            guard tells else { return }
            for change in state.untold { state.tell(change.collection, change.type, change.object) }
            state.untold = []
        }
    }

    func objects(_ collection: String) -> [JSONObject] {
        state.withLock { Array(($0.objects[collection] ?? [:]).values) }
    }

    func object(_ collection: String, _ name: String) -> JSONObject? {
        state.withLock { $0.objects[collection]?[name] }
    }

    /// Puts an object there as it is.
    func put(_ collection: String, _ object: JSONObject) {
        state.withLock { state in
            let name = object[["metadata", "name"]]?.string ?? ""
            let isNew = state.objects[collection]?[name] == nil
            _ = state.store(collection, object, as: isNew ? "ADDED" : "MODIFIED")
        }
    }

    /// Changes an object.
    func change(_ collection: String, _ name: String, _ change: (inout JSONObject) -> Void) {
        state.withLock { state in
            guard var object = state.objects[collection]?[name] else { return }
            change(&object)
            _ = state.store(collection, object, as: "MODIFIED")
        }
    }

    /// Takes an object away.
    func drop(_ collection: String, _ name: String) { state.withLock { $0.remove(collection, name) } }

    func answer(_ request: FakeRequest) -> FakeAnswer {
        if let answer = state.withLock({ $0.override })?(request) { return answer }
        var path = request.path.split(separator: "/").map(String.init)
        if path == ["api", "v1", "namespaces", "the0"] { return .ok(#"{"metadata":{"name":"the0","uid":"ns-uid"}}"#) }
        path.removeFirst(path.first == "apis" ? 3 : 2)
        if path.first == "namespaces" { path.removeFirst(2) }
        guard let collection = path.first, let kind = Self.kinds[collection] else { return .status(404, "NotFound") }
        let name = path.count > 1 ? path[1] : nil
        switch (request.method, name) {
        case ("GET", nil) where request.isWatch: return watch(collection, request)
        case ("GET", nil): return list(collection, kind, request)
        case ("GET", let name?):
            guard path.count == 2 else { return .status(400, "BadRequest", "waiting to start") }
            return object(collection, name).map { .ok(JSONValue.object($0).text) } ?? .status(404, "NotFound")
        case ("POST", nil): return create(collection, kind, request)
        case ("PUT", let name?): return replace(collection, name, request)
        case ("PATCH", let name?): return apply(collection, name, request)
        case ("DELETE", let name?): return delete(collection, name, request)
        default: return .status(405, "MethodNotAllowed")
        }
    }

    private func watch(_ collection: String, _ request: FakeRequest) -> FakeAnswer {
        let feed = FakeFeed()
        let selector = request.query["labelSelector"] ?? ""
        state.withLock { state in
            // What changed between list and watch.
            let since = Int(request.query["resourceVersion"] ?? "") ?? 0
            for object in (state.objects[collection] ?? [:]).values where State.matches(object, selector) {
                guard Int(object[["metadata", "resourceVersion"]]?.string ?? "") ?? 0 > since else { continue }
                feed.send(event("ADDED", JSONValue.object(object).text))
            }
            state.watches.append(Watch(collection: collection, selector: selector, feed: feed))
        }
        return .feed(feed)
    }

    private func list(_ collection: String, _ kind: String, _ request: FakeRequest) -> FakeAnswer {
        let isMetadata = request.headers["accept"]?.contains("PartialObjectMetadataList") == true
        return state.withLock { state in
            let items = (state.objects[collection] ?? [:]).values.filter {
                State.matches($0, request.query["labelSelector"] ?? "")
            }
            let list: JSONValue = [
                "kind": .string(isMetadata ? "PartialObjectMetadataList" : "\(kind)List"),
                "metadata": ["resourceVersion": .string(String(state.version))],
                "items": .array(
                    items.map { object in
                        isMetadata ? ["metadata": object["metadata"] ?? [:]] : .object(object)
                    }
                ),
            ]
            return .ok(list.text)
        }
    }

    private func create(_ collection: String, _ kind: String, _ request: FakeRequest) -> FakeAnswer {
        guard var object = request.json, let name = object[["metadata", "name"]]?.string else {
            return .status(400, "BadRequest")
        }
        return state.withLock { state in
            guard state.objects[collection]?[name] == nil else { return .status(409, "AlreadyExists") }
            object[["metadata", "uid"]] = .string("uid-\(state.version)")
            object[["metadata", "creationTimestamp"]] = .string("2026-01-02T03:04:05Z")
            if collection == "pods" { object["status"] = ["phase": "Pending"] }
            guard request.query["dryRun"] == nil else { return .json(201, JSONValue.object(object).text) }
            let stored = state.store(collection, object, as: "ADDED")
            return .json(201, JSONValue.object(stored).text)
        }
    }

    private func replace(_ collection: String, _ name: String, _ request: FakeRequest) -> FakeAnswer {
        guard let object = request.json else { return .status(400, "BadRequest") }
        return state.withLock { state in
            guard let standing = state.objects[collection]?[name],
                standing[["metadata", "resourceVersion"]] == object[["metadata", "resourceVersion"]]
            else { return .status(409, "Conflict") }
            return .ok(JSONValue.object(state.store(collection, object, as: "MODIFIED")).text)
        }
    }

    private func apply(_ collection: String, _ name: String, _ request: FakeRequest) -> FakeAnswer {
        guard let change = request.json else { return .status(400, "BadRequest") }
        return state.withLock { state in
            // An apply makes what isn't there, unless a uid says which one is meant.
            if state.objects[collection]?[name] == nil, change[["metadata", "uid"]] == nil {
                var object = change
                object[["metadata", "creationTimestamp"]] = .string("2026-01-02T03:04:05Z")
                return .json(201, JSONValue.object(state.store(collection, object, as: "ADDED")).text)
            }
            guard let object = state.objects[collection]?[name],
                change[["metadata", "uid"]] == nil || change[["metadata", "uid"]] == object[["metadata", "uid"]]
            else { return .status(409, "Conflict") }
            guard case .object(let merged) = Self.merge(.object(object), .object(change)) else {
                return .status(400, "BadRequest")
            }
            return .ok(JSONValue.object(state.store(collection, merged, as: "MODIFIED")).text)
        }
    }

    private static func merge(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        guard case .object(var result) = old, case .object(let change) = new else { return new }
        for (key, value) in change.members { result[key] = result[key].map { merge($0, value) } ?? value }
        return .object(result)
    }

    private func delete(_ collection: String, _ name: String, _ request: FakeRequest) -> FakeAnswer {
        state.withLock { state in
            guard let object = state.objects[collection]?[name] else { return .status(404, "NotFound") }
            let uid = request.json?[["preconditions", "uid"]]
            guard uid == nil || uid == object[["metadata", "uid"]] else { return .status(409, "Conflict") }
            // A Pod on a node goes when that says that it has ended.
            let isOnNode = collection == "pods" && object[["spec", "nodeName"]] != nil
            let phase = object[["status", "phase"]]?.string
            let isForced = request.json?["gracePeriodSeconds"] == 0
            if request.json?["propagationPolicy"] == "Orphan" { state.orphan(object) }
            guard isOnNode, phase != "Failed", phase != "Succeeded", !isForced else {
                state.remove(collection, name)
                return .ok(JSONValue.object(object).text)
            }
            var leaving = object
            leaving[["metadata", "deletionTimestamp"]] = "2026-01-02T04:00:00Z"
            return .ok(JSONValue.object(state.store(collection, leaving, as: "MODIFIED")).text)
        }
    }
}

extension FakeCluster.State {
    mutating func store(_ collection: String, _ object: JSONObject, as type: String) -> JSONObject {
        version += 1
        var object = object
        object["apiVersion"] = .string(FakeCluster.groups[collection] ?? "v1")
        object["kind"] = .string(FakeCluster.kinds[collection] ?? "")
        object[["metadata", "resourceVersion"]] = .string(String(version))
        if object[["metadata", "uid"]] == nil { object[["metadata", "uid"]] = .string("uid-\(version)") }
        if collection != "nodes" { object[["metadata", "namespace"]] = "the0" }
        objects[collection, default: [:]][object[["metadata", "name"]]?.string ?? ""] = object
        tell(collection, type, object)
        return object
    }

    mutating func remove(_ collection: String, _ name: String) {
        guard var object = objects[collection]?.removeValue(forKey: name) else { return }
        version += 1
        object[["metadata", "resourceVersion"]] = .string(String(version))
        tell(collection, "DELETED", object)
        // What belongs to it is collected.
        for (owned, secret) in objects["secrets"] ?? [:] {
            let owners = secret[["metadata", "ownerReferences"]]?.array ?? []
            guard owners.contains(where: { $0.object?["uid"] == object[["metadata", "uid"]] }) else { continue }
            remove("secrets", owned)
        }
    }

    /// What belongs to an object belongs to nobody.
    mutating func orphan(_ owner: JSONObject) {
        for collection in ["jobs", "secrets"] {
            for var owned in (objects[collection] ?? [:]).values {
                let owners = owned[["metadata", "ownerReferences"]]?.array ?? []
                let others = owners.filter { $0.object?["uid"] != owner[["metadata", "uid"]] }
                guard others.count < owners.count else { continue }
                owned[["metadata", "ownerReferences"]] = .array(others)
                _ = store(collection, owned, as: "MODIFIED")
            }
        }
    }

    mutating func tell(_ collection: String, _ type: String, _ object: JSONObject) {
        guard tells else { return untold.append((collection, type, object)) }
        for watch in watches where watch.collection == collection && Self.matches(object, watch.selector) {
            watch.feed.send(event(type, JSONValue.object(object).text))
        }
    }

    /// Whether an object's labels are as a selector of `k=v` and `!k` says.
    static func matches(_ object: JSONObject, _ selector: String) -> Bool {
        let labels = object[["metadata", "labels"]]?.strings ?? [:]
        return selector.split(separator: ",").allSatisfy { part in
            if part.hasPrefix("!") { return labels[String(part.dropFirst())] == nil }
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            return pair.count == 2 ? labels[pair[0]] == pair[1] : labels[pair[0]] != nil
        }
    }
}
