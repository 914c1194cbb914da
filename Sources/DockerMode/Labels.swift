import Model
import Runtime

/// The labels of what a runner makes. The first three are version 1.2.0's.
enum Label {
    /// The bot's id, whatever text it is.
    static let id = "runtime.id"
    /// The entrypoint's path inside the code archive.
    static let entrypoint = "runtime.entrypoint"
    /// `true` on the containers and volumes of bots.
    static let managed = "runtime.managed"
    /// ``ExecutableKind``.
    static let kind = "runtime.kind"
    /// The instance of the runner it belongs to.
    static let instance = "runtime.instance"
    /// The slot of a scheduled run, as ``Slot`` writes it.
    static let slot = "runtime.slot"
    /// The launch specification's hash.
    static let hash = "runtime.hash"
    /// How many starts of the same specification went before without lasting.
    static let attempt = "runtime.attempt"
    /// The image as the catalogue names it.
    static let image = "runtime.image"
    /// The catalogue's key of the language runtime.
    static let runtime = "runtime.runtime"
    /// On the volume that marks an engine without an id: what it is told from others by.
    static let platform = "runtime.platform"
    /// `true` on prepared images. Containers made from one inherit it.
    static let prepared = "runtime.prepared"
    /// On prepared images: the id of the image it was made from.
    static let preparedBase = "runtime.prepared.base"
    /// On prepared images: ``EntrypointKind``.
    static let preparedKind = "runtime.prepared.kind"
    /// On prepared images: the hash of what was added.
    static let preparedFiles = "runtime.prepared.files"
    /// On images that hold a program's code besides: the hash of that.
    static let preparedCode = "runtime.prepared.code"
    /// `true` on the containers that prepared images are made in; they never run.
    static let preparing = "runtime.preparing"
}

extension LaunchSpec {
    /// The labels of the specification's container.
    func labels(instance: String, attempt: Int) -> [(String, String)] {
        let slot = executable.slot.map { [(Label.slot, $0.description)] } ?? []
        return slot + [
            (Label.id, id.text),
            (Label.entrypoint, entrypoint),
            (Label.managed, "true"),
            (Label.kind, executable.kind.rawValue),
            (Label.instance, instance),
            (Label.hash, hash),
            (Label.attempt, String(attempt)),
            (Label.image, runtime.image),
            (Label.runtime, runtime.name),
        ]
    }
}

extension JSONObject {
    /// An object of strings.
    init(strings: [(String, String)]) {
        self.init()
        for (key, value) in strings { self[key] = .string(value) }
    }
}
