import FoundationEssentials
public import Model

/// A Secret. Its values never stand in a message or a log.
public struct Secret: K8sObject, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `secrets` of `v1`.
    public static let resource = APIResource.secrets
    /// The Secret as the API has it.
    public var json: JSONObject

    /// A view over a Secret.
    public init(json: JSONObject) { self.json = json }

    /// The names of its entries.
    public var entries: [String] { json["data"]?.object?.keys ?? [] }

    /// An entry's bytes; nil where there is none, or it isn't base64.
    public subscript(entry: String) -> [UInt8]? {
        get { json[["data", entry]]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) } }
        set { json[["data", entry]] = newValue.map { .string(Data($0).base64EncodedString()) } }
    }

    /// As `Opaque`; can't be changed once it was made.
    public var type: String? {
        get { text(["type"]) }
        set { json["type"] = newValue.map { .string($0) } }
    }

    /// Kind and name only.
    public var description: String { "Secret \(key)" }
    /// Kind and name only.
    public var debugDescription: String { description }
    /// Nothing of the content.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A ConfigMap.
public struct ConfigMap: K8sObject {
    /// `configmaps` of `v1`.
    public static let resource = APIResource.configMaps
    /// The ConfigMap as the API has it.
    public var json: JSONObject

    /// A view over a ConfigMap.
    public init(json: JSONObject) { self.json = json }

    /// Its entries that are text.
    public var data: [String: String] {
        get { json["data"]?.strings ?? [:] }
        set { json["data"] = JSONValue(strings: newValue) }
    }
}
