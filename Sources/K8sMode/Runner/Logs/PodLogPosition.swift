import Crypto
import Model
import Runtime
import Util

/// A place in what a Pod's container has written: in which of the containers that the kubelet made one after the other, and where
/// in the log of that.
struct PodLogPosition: Sendable, Hashable {
    /// Tells the container from its predecessors and successors.
    var container: String
    /// The place in its log; nil: the beginning.
    var place: LogPosition?

    /// What a container is told by: 64 bits of a hash of its id.
    static func mark(_ id: String) -> String { SHA256.hash(data: Array(id.utf8)).prefix(8).hexText }

    /// `k1` for the form, the container, and the place if there is one, with dots between them.
    var text: String { (["k1", container] + (place.map { [$0.text] } ?? [])).joined(separator: ".") }
}

extension PodLogPosition {
    /// Reads ``text``; nil for any other text.
    init?(text: String) {
        guard text.utf8.count <= 200 else { return nil }
        let fields = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count >= 2, fields[0] == "k1", fields[1].utf8.count == 16,
            fields[1].utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
        else { return nil }
        container = String(fields[1])
        if fields.count == 3 {
            guard let place = LogPosition(text: String(fields[2])) else { return nil }
            self.place = place
        }
    }
}
