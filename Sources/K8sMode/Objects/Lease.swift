public import Model
public import Util

/// A Lease: who leads, and until when.
public struct Lease: K8sObject {
    /// `leases` of `coordination.k8s.io/v1`.
    public static let resource = APIResource.leases
    /// The Lease as the API has it.
    public var json: JSONObject

    /// A view over a Lease.
    public init(json: JSONObject) { self.json = json }

    /// Who holds it; nil for nobody.
    public var holder: String? {
        get { text(["spec", "holderIdentity"]).flatMap { $0.isEmpty ? nil : $0 } }
        set { json[["spec", "holderIdentity"]] = .string(newValue ?? "") }
    }

    /// How many seconds after its last renewal it may be taken over.
    public var durationSeconds: Int? {
        get { json[["spec", "leaseDurationSeconds"]]?.wholeNumber.map { Int(clamping: $0) } }
        set { json[["spec", "leaseDurationSeconds"]] = newValue.map { .integer(Int64($0)) } }
    }

    /// When its holder got it, by the holder's clock.
    public var acquired: Timestamp? {
        get { time(["spec", "acquireTime"]) }
        set { json[["spec", "acquireTime"]] = newValue.map { .string($0.microTime) } }
    }

    /// When its holder last renewed it, by the holder's clock.
    public var renewed: Timestamp? {
        get { time(["spec", "renewTime"]) }
        set { json[["spec", "renewTime"]] = newValue.map { .string($0.microTime) } }
    }

    /// How often it has changed hands.
    public var transitions: Int {
        get { number(["spec", "leaseTransitions"]) }
        set { json[["spec", "leaseTransitions"]] = .integer(Int64(newValue)) }
    }
}

/// An Event: what happened to an object, for people.
public struct Event: K8sObject {
    /// `events` of `v1`.
    public static let resource = APIResource.events
    /// The Event as the API has it.
    public var json: JSONObject

    /// A view over an Event.
    public init(json: JSONObject) { self.json = json }

    /// An Event about an object.
    /// - Parameters:
    ///   - name: the Event's own name; the same name again is the same Event.
    ///   - object: what it is about.
    ///   - type: `Normal` or `Warning`.
    ///   - reason: why, in a CamelCase word.
    ///   - message: why, for people; cut at 1024 bytes, which is all the API takes.
    ///   - component: who says so.
    ///   - time: when.
    public init(
        name: String,
        about object: some K8sObject,
        type: String = "Normal",
        reason: String,
        message: String,
        component: String,
        time: Timestamp
    ) {
        self.init(name: name, namespace: object.namespace)
        var reference: JSONObject = [:]
        for field in ["apiVersion", "kind"] { reference[field] = object.json[field] }
        for field in ["name", "namespace", "uid", "resourceVersion"] {
            reference[field] = object.json[["metadata", field]]
        }
        json["involvedObject"] = .object(reference)
        json["type"] = .string(type)
        json["reason"] = .string(reason)
        json["message"] = .string(message.prefix(bytes: 1024))
        json["source"] = ["component": .string(component)]
        json["firstTimestamp"] = .string(time.wholeSecond)
        json["lastTimestamp"] = .string(time.wholeSecond)
        json["count"] = 1
    }

    /// `Normal` or `Warning`.
    public var type: String { text(["type"]) ?? "" }
    /// Why, in a word.
    public var reason: String { text(["reason"]) ?? "" }
    /// Why, for people.
    public var message: String { text(["message"]) ?? "" }
    /// The name of the object that it is about.
    public var about: String { text(["involvedObject", "name"]) ?? "" }
    /// How often it has happened.
    public var count: Int {
        get { number(["count"]) }
        set { json["count"] = .integer(Int64(newValue)) }
    }
    /// When it last happened.
    public var last: Timestamp? {
        get { time(["lastTimestamp"]) }
        set { json["lastTimestamp"] = newValue.map { .string($0.wholeSecond) } }
    }
}

extension Timestamp {
    /// As `metav1.Time`: whole seconds.
    var wholeSecond: String { RFC3339.string(Timestamp(secondsSince1970: secondsSince1970)) }

    /// As `metav1.MicroTime`, which older servers read only with exactly six digits.
    var microTime: String {
        let micros = (nanosecondsSince1970 - Timestamp(secondsSince1970: secondsSince1970).nanosecondsSince1970) / 1000
        let digits = String(micros)
        let fraction = String(repeating: "0", count: 6 - digits.utf8.count) + digits
        return wholeSecond.dropLast() + "." + fraction + "Z"
    }
}

extension String {
    /// The longest beginning of so many bytes that cuts no character.
    func prefix(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > utf8.startIndex, String.Index(end, within: unicodeScalars) == nil { utf8.formIndex(before: &end) }
        return String(self[..<end])
    }
}
