import Foundation
import TestSupport

/// deploy/kubernetes with another namespace, as an overlay of an operator's has it.
struct Manifests {
    /// The folder of the base.
    static let base = "\(ServicePrograms.root)/deploy/kubernetes"

    /// What `kubectl kustomize` makes of it.
    let text: String

    init(namespace: String) async throws {
        let folder = try TemporaryFolder()
        // Overlays name their base by a relative path.
        let up = folder.path.split(separator: "/").map { _ in ".." }.joined(separator: "/")
        try folder.write("kustomization.yaml", "namespace: \(namespace)\nresources: [\(up)\(Self.base)]\n")
        text = try await requireCommand(["kubectl", "kustomize", folder.path])
    }

    /// For a server before 1.21, which has disruption budgets only in their beta.
    var forOldServers: String {
        text.replacingOccurrences(of: "apiVersion: policy/v1\n", with: "apiVersion: policy/v1beta1\n")
    }

    /// Each object's text.
    var objects: [String] { text.components(separatedBy: "\n---\n") }

    /// Those of some kinds.
    func objects(_ kinds: String...) -> String {
        objects.filter { object in kinds.contains { "\n\(object)\n".contains("\nkind: \($0)\n") } }.joined(
            separator: "\n---\n"
        )
    }
}
