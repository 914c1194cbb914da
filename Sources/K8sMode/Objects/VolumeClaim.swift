public import Model
public import Runtime

/// A PersistentVolumeClaim: somebody's right to a volume, which outlives Pods.
public struct VolumeClaim: K8sObject {
    /// `persistentvolumeclaims` of `v1`.
    public static let resource = APIResource.volumeClaims
    /// The claim as the API has it.
    public var json: JSONObject

    /// A view over a claim.
    public init(json: JSONObject) { self.json = json }

    /// Asks for a volume that one node at a time may write.
    /// - Parameters:
    ///   - storageClass: the class of the volume; nil: the cluster's default class.
    ///   - size: how much, in bytes, rounded up.
    public mutating func request(storageClass: String?, size: Quantity) {
        var spec: JSONObject = [
            "accessModes": ["ReadWriteOnce"],
            "resources": ["requests": ["storage": .string(String(size.roundedUp))]],
        ]
        if let storageClass { spec["storageClassName"] = .string(storageClass) }
        json["spec"] = .object(spec)
    }
}
