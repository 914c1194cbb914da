import HTTP
import Model

/// The objects of one kind in one namespace, or in all.
public struct Resources<Object: K8sObject>: Sendable {
    let client: K8sClient
    /// Where they are found.
    public let resource: APIResource
    /// The namespace; nil for all, where only reading is possible.
    public let namespace: String?
    /// Whether lists and watches only give the objects' metadata.
    var isMetadataOnly = false

    /// The same objects; lists and watches leave out everything but their metadata, as the values of Secrets.
    public var metadataOnly: Resources {
        var copy = self
        copy.isMetadataOnly = true
        return copy
    }

    func call(_ verb: String, method: HTTPMethod, name: String? = nil, subresource: String? = nil) -> K8sCall {
        K8sCall(
            method: method,
            path: resource.path(namespace: namespace, name: name, subresource: subresource),
            right: K8sCall.Right(
                verb: verb,
                resource: resource,
                namespace: namespace,
                subresource: subresource ?? ""
            )
        )
    }

    func send(_ call: K8sCall) async throws(K8sError) -> Object {
        let answer = try await client.send(call)
        guard let object = answer.object, object[["metadata", "name"]]?.string != nil else {
            throw K8sError(.badAnswer, "API server, \(call.name): the answer is no object with a name")
        }
        return Object(json: object)
    }

    /// An object by its name; nil where there is none.
    /// - Throws: ``K8sError``.
    public func get(_ name: String) async throws(K8sError) -> Object? {
        do { return try await send(try call("get", method: .get, name: named(name))) } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// Makes an object.
    /// - Throws: ``K8sError``, with code `alreadyExists` where the name is taken.
    public func create(_ object: Object, fieldManager: String? = nil, dryRun: Bool = false) async throws(K8sError)
        -> Object
    {
        var call = call("create", method: .post)
        call.body = .object(complete(object))
        if let fieldManager { call.query.append(("fieldManager", fieldManager)) }
        if dryRun { call.query.append(("dryRun", "All")) }
        return try await send(call)
    }

    /// Writes an object as a whole, what isn't known here included. With a resource version, as objects that were read have
    /// one, only over that version.
    /// - Parameters:
    ///   - object: all of it.
    ///   - subresource: `status` writes only the status.
    ///   - fieldManager: whose fields they are from now on; nil: the server makes a name up from the program's.
    /// - Throws: ``K8sError``, with code `conflict` where the object is another version by now.
    public func replace(
        _ object: Object,
        subresource: String? = nil,
        fieldManager: String? = nil
    ) async throws(K8sError) -> Object {
        var call = try call("update", method: .put, name: named(object.name), subresource: subresource)
        call.body = .object(complete(object))
        if let fieldManager { call.query.append(("fieldManager", fieldManager)) }
        return try await send(call)
    }

    /// Makes the fields that an object has what they are in it, and leaves the fields of others alone (server-side apply).
    /// Fields that the manager had applied before and that are missing now are removed.
    ///
    /// - Parameters:
    ///   - object: what is desired, and only that. With a uid, only over that very object.
    ///   - fieldManager: who says so.
    ///   - force: whether fields of other managers are taken over.
    ///   - dryRun: whether the server only says what would come of it.
    /// - Returns: the whole object, fields of others included.
    /// - Throws: ``K8sError``, with code `conflict` naming the fields where another manager has them.
    public func apply(
        _ object: Object,
        fieldManager: String,
        force: Bool = false,
        dryRun: Bool = false
    ) async throws(K8sError) -> Object {
        var call = try call("patch", method: .patch, name: named(object.name))
        call.contentType = "application/apply-patch+yaml"
        call.query = [("fieldManager", fieldManager)]
        if force { call.query.append(("force", "true")) }
        if dryRun { call.query.append(("dryRun", "All")) }
        // An apply that has the server's own record in it is refused.
        call.body = .object(complete(object.withoutManagedFields))
        return try await send(call)
    }

    /// What becomes of the objects that belong to a deleted one.
    public enum Propagation: String, Sendable, Hashable {
        /// They are deleted after it.
        case background = "Background"
        /// They are deleted before it.
        case foreground = "Foreground"
        /// They stay.
        case orphan = "Orphan"
    }

    /// Deletes an object. That it is gone already is no error.
    /// - Parameters:
    ///   - name: the object's name.
    ///   - uid: the very object that is meant; another one of its name is left alone.
    ///   - resourceVersion: the very version that is meant.
    ///   - propagation: what becomes of what belongs to it; nil: as the server has it for the kind.
    ///   - gracePeriodSeconds: how long a Pod has to end; nil: as it says itself.
    /// - Returns: whether there was one.
    /// - Throws: ``K8sError``, with code `conflict` where uid or version are others.
    @discardableResult
    public func delete(
        _ name: String,
        uid: String? = nil,
        resourceVersion: String? = nil,
        propagation: Propagation? = nil,
        gracePeriodSeconds: Int? = nil
    ) async throws(K8sError) -> Bool {
        var call = try call("delete", method: .delete, name: named(name))
        var options: JSONObject = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let uid { options[["preconditions", "uid"]] = .string(uid) }
        if let resourceVersion { options[["preconditions", "resourceVersion"]] = .string(resourceVersion) }
        if let propagation { options["propagationPolicy"] = .string(propagation.rawValue) }
        if let gracePeriodSeconds { options["gracePeriodSeconds"] = .integer(Int64(gracePeriodSeconds)) }
        call.body = .object(options)
        do { _ = try await client.send(call) } catch {
            if error.code == .notFound { return false }
            throw error
        }
        return true
    }

    /// An empty name would ask for the whole collection, and delete it.
    private func named(_ name: String) throws(K8sError) -> String {
        guard !name.isEmpty, name != ".", name != ".." else {
            throw K8sError(.invalid, "\(resource.kind): \(name.escapedForMessage) is no name of an object")
        }
        guard namespace != nil || !resource.isNamespaced else {
            throw K8sError(
                .invalid,
                "\(resource.kind) \(name.escapedForMessage): one object is in one namespace; none is named"
            )
        }
        return name
    }

    /// The object as this server has its kind.
    private func complete(_ object: Object) -> JSONObject {
        var json = object.json
        json["apiVersion"] = .string(resource.apiVersion)
        json["kind"] = .string(resource.kind)
        if let namespace { json[["metadata", "namespace"]] = .string(namespace) }
        return json
    }
}

extension K8sClient {
    /// The objects of a kind.
    /// - Parameters:
    ///   - kind: which.
    ///   - namespace: where; nil for all namespaces.
    ///   - resource: where such objects are found, if that depends on the server.
    public func resources<Object: K8sObject>(
        _ kind: Object.Type,
        in namespace: String?,
        at resource: APIResource? = nil
    ) -> Resources<Object> {
        Resources(client: self, resource: resource ?? Object.resource, namespace: namespace)
    }
}
