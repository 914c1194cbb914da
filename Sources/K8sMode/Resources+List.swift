import HTTP
import Logging
import Model

/// Which objects of a kind are meant.
public struct Selection: Sendable, Hashable {
    /// A label selector, as `the0.dev/managed-by=x,y in (a,b)`; empty for all.
    public var labels: String
    /// A field selector, as `spec.nodeName=x`; empty for all.
    public var fields: String

    /// A selection; everything unless said otherwise.
    public init(labels: String = "", fields: String = "") {
        self.labels = labels
        self.fields = fields
    }

    var query: [(name: String, value: String)] {
        [("labelSelector", labels), ("fieldSelector", fields)].filter { !$0.1.isEmpty }
    }
}

/// All objects of a selection at one moment.
public struct ObjectList<Object: K8sObject>: Sendable {
    /// The objects.
    public let items: [Object]
    /// The moment, for a watch to go on from.
    public let resourceVersion: String
}

extension Resources {
    /// How many objects a page has.
    static var pageSize: Int { 500 }
    /// How often a list that outlived its page token is begun again in pages; after that it is asked for in one piece.
    private static var mostRestarts: Int { 2 }

    /// All objects of a selection, read in pages.
    ///
    /// A list is all or nothing: what is thrown halfway was not a list.
    /// - Parameters:
    ///   - selection: which objects.
    ///   - pageSize: how many objects a page has.
    ///   - keep: what of each object is kept, so that pages needn't all be in memory.
    /// - Throws: ``K8sError``.
    public func list(
        _ selection: Selection = Selection(),
        pageSize: Int = 500,
        keep: @Sendable (Object) -> Object = { $0.withoutManagedFields }
    ) async throws(K8sError) -> ObjectList<Object> {
        var restarts = 0
        while true {
            do {
                return try await pages(selection, pageSize: restarts > Self.mostRestarts ? nil : pageSize, keep: keep)
            } catch {
                // 410: the server has forgotten the moment that the pages are of. What was read is of no use.
                guard error.code == .expired, restarts <= Self.mostRestarts else { throw error }
                restarts += 1
                client.logger.debug(
                    "list took too long for its pages, beginning again",
                    metadata: ["of": "\(resource.plural)"]
                )
            }
        }
    }

    private func pages(
        _ selection: Selection,
        pageSize: Int?,
        keep: @Sendable (Object) -> Object
    ) async throws(K8sError) -> ObjectList<Object> {
        var items: [Object] = []
        var next: String?
        while true {
            var call = call("list", method: .get)
            call.limit = 256 << 20
            call.deadlines = K8sCall.listing
            if isMetadataOnly { call.accept = K8sCall.metadata(list: true) }
            call.query = selection.query
            if let pageSize { call.query.append(("limit", String(pageSize))) }
            if let next { call.query.append(("continue", next)) }
            let kind = isMetadataOnly ? "PartialObjectMetadata" : resource.kind
            let page = try ListPage(try await client.send(call), call, resource, listedKind: kind)
            items += page.items.map { keep(Object(json: $0)) }
            guard let more = page.next else {
                return ObjectList(items: items, resourceVersion: page.resourceVersion)
            }
            guard more != next else {
                throw K8sError(.badAnswer, "API server, \(call.name): a page says that it is followed by itself")
            }
            next = more
        }
    }
}

/// One page of a list.
private struct ListPage {
    let items: [JSONObject]
    let resourceVersion: String
    let next: String?

    init(_ answer: JSONValue, _ call: K8sCall, _ resource: APIResource, listedKind: String) throws(K8sError) {
        func nonsense(_ problem: String) -> K8sError {
            K8sError(.badAnswer, "API server, \(call.name): the answer makes no sense: \(problem)")
        }
        guard let list = answer.object, list["kind"]?.string == "\(listedKind)List" else {
            throw nonsense("no \(listedKind)List")
        }
        guard let version = list[["metadata", "resourceVersion"]]?.string, !version.isEmpty else {
            throw nonsense("no resourceVersion")
        }
        resourceVersion = version
        next = list[["metadata", "continue"]]?.string.flatMap { $0.isEmpty ? nil : $0 }
        var items: [JSONObject] = []
        // Go writes an empty list as null in places; a list without the field is none.
        guard let value = list["items"] else { throw nonsense("no items") }
        guard value == .null || value.array != nil else { throw nonsense("items is no array") }
        for value in value.array ?? [] {
            guard var item = value.object, item[["metadata", "name"]]?.string != nil else {
                throw nonsense("an item has no name")
            }
            // Items of a list come without them.
            item["apiVersion"] = .string(resource.apiVersion)
            item["kind"] = .string(resource.kind)
            items.append(item)
        }
        self.items = items
    }
}
