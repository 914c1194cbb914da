/// Where objects of a kind are found in the API: group, version and the plural of the path.
public struct APIResource: Sendable, Hashable {
    /// The API group; empty for the core group.
    public let group: String
    /// The group's version, as `v1`.
    public let version: String
    /// The name in paths and roles, as `pods`.
    public let plural: String
    /// The name in objects, as `Pod`.
    public let kind: String
    /// Whether such objects are in namespaces, and not in the cluster as a whole.
    public let isNamespaced: Bool

    /// A kind of objects.
    public init(
        group: String = "",
        version: String = "v1",
        plural: String,
        kind: String,
        isNamespaced: Bool = true
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// What stands in an object's `apiVersion`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// The path of all objects, of one, or of a part of one.
    func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        var components = group.isEmpty ? ["api", version] : ["apis", group, version]
        if let namespace { components += ["namespaces", namespace] }
        components.append(plural)
        if let name { components.append(name) }
        if let subresource { components.append(subresource) }
        return K8sCall.path(components)
    }
}

extension APIResource {
    /// Pods.
    public static let pods = APIResource(plural: "pods", kind: "Pod")
    /// Secrets.
    public static let secrets = APIResource(plural: "secrets", kind: "Secret")
    /// ConfigMaps.
    public static let configMaps = APIResource(plural: "configmaps", kind: "ConfigMap")
    /// Claims of volumes.
    public static let volumeClaims = APIResource(plural: "persistentvolumeclaims", kind: "PersistentVolumeClaim")
    /// The cluster's machines.
    public static let nodes = APIResource(plural: "nodes", kind: "Node", isNamespaced: false)
    /// Events of the core group, which every server has.
    public static let events = APIResource(plural: "events", kind: "Event")
    /// Jobs.
    public static let jobs = APIResource(group: "batch", plural: "jobs", kind: "Job")
    /// Leases.
    public static let leases = APIResource(group: "coordination.k8s.io", plural: "leases", kind: "Lease")
    /// CronJobs, from Kubernetes 1.21.
    public static let cronJobs = APIResource(group: "batch", plural: "cronjobs", kind: "CronJob")
    /// CronJobs, up to Kubernetes 1.24.
    public static let cronJobsBeta = APIResource(
        group: "batch",
        version: "v1beta1",
        plural: "cronjobs",
        kind: "CronJob"
    )
}
