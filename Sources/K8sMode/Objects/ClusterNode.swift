public import Model

/// A Node: a machine of the cluster.
public struct ClusterNode: K8sObject {
    /// `nodes` of `v1`.
    public static let resource = APIResource.nodes
    /// The Node as the API has it.
    public var json: JSONObject

    /// A view over a Node.
    public init(json: JSONObject) { self.json = json }

    /// The keys of its taints.
    public var taints: Set<String> {
        Set((json[["spec", "taints"]]?.array ?? []).compactMap { $0.object?["key"]?.string })
    }

    /// Whether somebody who knows has said that the machine is off, and nothing runs on it any more.
    public var isOutOfService: Bool { taints.contains("node.kubernetes.io/out-of-service") }

    /// Whether its kubelet answers: the `Ready` condition.
    public var isReady: Bool { json.condition("Ready")?.isTrue ?? false }
}
