import Model
import Runtime

/// The labels and annotations of what a runner makes. The first seven labels are version 1.2.0's.
enum K8sLabel {
    /// The bot's id, as a label can hold it; the true id is an annotation.
    static let id = "the0.dev/bot-id"
    /// The schedule's id, as a label can hold it.
    static let scheduleID = "the0.dev/schedule-id"
    /// The custom bot's name, as a label can hold it.
    static let customBot = "the0.dev/custom-bot-id"
    /// The custom bot's version, as a label can hold it.
    static let version = "the0.dev/custom-bot-version"
    /// The catalogue's key of the language runtime.
    static let runtime = "the0.dev/runtime"
    /// Which controller it belongs to, one for each ``ExecutableKind``.
    static let managedBy = "the0.dev/managed-by"
    /// The instance of the runner it belongs to, as a label can hold it. What has none was made by another version.
    static let instance = "the0.dev/instance"
    /// ``ExecutableKind``.
    static let kind = "the0.dev/kind"
    /// The slot of a scheduled run, as ``Slot`` writes it.
    static let slot = "the0.dev/slot"
}

/// The annotations of what a runner makes.
enum K8sAnnotation {
    /// The bot's true id, whatever text it is.
    static let id = "the0.dev/id"
    /// The launch specification's hash.
    static let hash = "the0.dev/spec-hash"
    /// How many starts of the same specification went before without lasting.
    static let attempt = "the0.dev/attempt"
    /// The entrypoint's path inside the code archive.
    static let entrypoint = "the0.dev/entrypoint"
    /// On Secrets: the program whose code the link in it is for, as ``LinkedProgram`` writes it.
    static let program = "the0.dev/program"
    /// On Secrets: until when the link in it is valid, in RFC 3339.
    static let linkExpiry = "the0.dev/link-expires"
    /// On Secrets: when the link in it is to be made anew, in RFC 3339.
    static let linkRenewal = "the0.dev/link-renewal"
}

/// The labels and annotations of other versions of the controller, which have the same names under one of these prefixes.
enum LegacyLabel {
    /// Version 1.2.0's, then that of later ones.
    static let prefixes = ["the0.dev", "the0.app"]
    /// Who made a Pod: the controller of live bots, or the one of schedules.
    static let managedBy = "managed-by"
    /// The bot's id as it is; ids that can't be a label never had a Pod.
    static let id = "bot-id"
}

extension ExecutableKind {
    /// The value of ``K8sLabel/managedBy``, as version 1.2.0 has it.
    var controller: String {
        switch self {
        case .live: "the0-bot-controller"
        case .scheduled: "the0-schedule-controller"
        }
    }
}

/// What tells this runner's objects of a kind from all others.
struct Ownership: Sendable, Hashable {
    /// The instance as the operator named it.
    let instance: String

    /// Objects of other versions carry no instance; they are this one's.
    static let defaultInstance = "default"

    /// The instance as a label's value.
    var label: String { SafeName.labelValue(BotID(instance)).text }

    /// Selects the objects of a kind.
    func selection(of kind: ExecutableKind) -> Selection {
        Selection(labels: "\(K8sLabel.instance)=\(label),\(K8sLabel.kind)=\(kind.rawValue)")
    }

    /// The labels of everything that is kept for a program.
    func labels(of kind: ExecutableKind, id: BotID) -> [String: String] {
        [
            K8sLabel.id: SafeName.labelValue(id).text,
            K8sLabel.managedBy: kind.controller,
            K8sLabel.instance: label,
            K8sLabel.kind: kind.rawValue,
        ]
    }

    /// Whether an object is one of ours: selectors are the server's affair, this is checked here.
    func owns(_ object: some K8sObject, kind: ExecutableKind) -> Bool {
        let labels = object.labels
        return labels[K8sLabel.instance] == label && labels[K8sLabel.kind] == kind.rawValue
    }
}

extension LaunchSpec {
    /// The labels of the specification's Pod.
    func labels(_ ownership: Ownership) -> [String: String] {
        var labels = ownership.labels(of: executable.kind, id: id)
        labels[K8sLabel.runtime] = SafeName.labelValue(BotID(runtime.name)).text
        let custom = executable.custom
        if !custom.config.name.isEmpty {
            labels[K8sLabel.customBot] = SafeName.labelValue(BotID(custom.config.name)).text
        }
        if !custom.version.isEmpty { labels[K8sLabel.version] = SafeName.labelValue(BotID(custom.version)).text }
        if executable.kind == .scheduled { labels[K8sLabel.scheduleID] = labels[K8sLabel.id] }
        if let slot = executable.slot { labels[K8sLabel.slot] = slot.description }
        return labels
    }

    /// The annotations of the specification's Pod.
    func annotations(attempt: Int) -> [String: String] {
        [
            K8sAnnotation.id: id.text,
            K8sAnnotation.hash: hash,
            K8sAnnotation.attempt: String(attempt),
            K8sAnnotation.entrypoint: entrypoint,
        ]
    }
}
