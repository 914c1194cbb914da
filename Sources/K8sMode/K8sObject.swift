public import Model
public import Util

/// A thin view over an object of the API: what we know has names, the rest is kept and written back as it came.
public protocol K8sObject: Sendable, Hashable {
    /// Where such objects are found, on servers of today.
    static var resource: APIResource { get }
    /// The object as the API has it.
    var json: JSONObject { get set }
    /// A view over an object of this kind.
    init(json: JSONObject)
}

/// What an object is called by within its kind.
public struct ObjectKey: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The namespace.
    public let namespace: String
    /// The name.
    public let name: String

    /// A key.
    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// As `kubectl` writes it.
    public var description: String { "\(namespace)/\(name)" }

    /// By namespace, then by name.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// An object that another belongs to: when it goes, the other is collected.
public struct OwnerReference: Sendable, Hashable {
    /// As `batch/v1`.
    public let apiVersion: String
    /// As `Job`.
    public let kind: String
    /// The owner's name.
    public let name: String
    /// The owner's uid.
    public let uid: String
    /// Whether the owner is the one that manages the object.
    public let isController: Bool

    /// A reference.
    public init(apiVersion: String, kind: String, name: String, uid: String, isController: Bool = false) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.isController = isController
    }
}

extension K8sObject {
    /// An object to be made, with nothing but its name.
    public init(name: String, namespace: String? = nil) {
        self.init(json: [
            "apiVersion": .string(Self.resource.apiVersion), "kind": .string(Self.resource.kind),
            "metadata": ["name": .string(name)],
        ])
        if let namespace { self.namespace = namespace }
    }

    /// The name, unique within namespace and kind; empty where there is none.
    public var name: String { text(["metadata", "name"]) ?? "" }

    /// The namespace; empty where there is none.
    public var namespace: String {
        get { text(["metadata", "namespace"]) ?? "" }
        set { json[["metadata", "namespace"]] = newValue.isEmpty ? nil : .string(newValue) }
    }

    /// Namespace and name.
    public var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }

    /// What tells it from a later object of the same name; empty before it was made.
    public var uid: String { text(["metadata", "uid"]) ?? "" }

    /// What tells its states apart; only ever compared for equality. nil when written means "whatever it is".
    public var resourceVersion: String? {
        get { text(["metadata", "resourceVersion"]) }
        set { json[["metadata", "resourceVersion"]] = newValue.map { .string($0) } }
    }

    /// The labels.
    public var labels: [String: String] {
        get { json[["metadata", "labels"]]?.strings ?? [:] }
        set { json[["metadata", "labels"]] = newValue.isEmpty ? nil : JSONValue(strings: newValue) }
    }

    /// The annotations.
    public var annotations: [String: String] {
        get { json[["metadata", "annotations"]]?.strings ?? [:] }
        set { json[["metadata", "annotations"]] = newValue.isEmpty ? nil : JSONValue(strings: newValue) }
    }

    /// The objects that it belongs to.
    public var owners: [OwnerReference] {
        get {
            (json[["metadata", "ownerReferences"]]?.array ?? []).compactMap { value in
                guard let owner = value.object, let uid = owner["uid"]?.string else { return nil }
                return OwnerReference(
                    apiVersion: owner["apiVersion"]?.string ?? "",
                    kind: owner["kind"]?.string ?? "",
                    name: owner["name"]?.string ?? "",
                    uid: uid,
                    isController: owner["controller"]?.flag ?? false
                )
            }
        }
        set {
            let values = newValue.map { owner -> JSONValue in
                var object: JSONObject = [
                    "apiVersion": .string(owner.apiVersion), "kind": .string(owner.kind), "name": .string(owner.name),
                    "uid": .string(owner.uid),
                ]
                if owner.isController { object["controller"] = true }
                return .object(object)
            }
            json[["metadata", "ownerReferences"]] = values.isEmpty ? nil : .array(values)
        }
    }

    /// When it was made.
    public var created: Timestamp? { time(["metadata", "creationTimestamp"]) }

    /// When it is to be gone; nil while nobody has asked for its deletion.
    public var deletion: Timestamp? { time(["metadata", "deletionTimestamp"]) }

    /// Without the record of who manages which field, which is larger than most objects.
    public var withoutManagedFields: Self {
        guard json[["metadata", "managedFields"]] != nil else { return self }
        var copy = self
        copy.json[["metadata", "managedFields"]] = nil
        return copy
    }

    func text(_ path: [String]) -> String? { json[path]?.string }

    func number(_ path: [String]) -> Int { json[path]?.wholeNumber.map { Int(clamping: $0) } ?? 0 }

    /// A time as the API writes it; nil where there is none that can be read.
    func time(_ path: [String]) -> Timestamp? {
        // A time that can't be read is as unknown as one that isn't there.
        text(path).flatMap { try? RFC3339.parse($0) }
    }
}
