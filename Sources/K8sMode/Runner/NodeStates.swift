import Runtime

/// What is known of the cluster's machines, as far as it decides whether a Pod may still run.
struct NodeStates: Sendable {
    let client: K8sClient

    /// What is known of one machine.
    enum State: Sendable, Hashable {
        /// The cluster has no such machine any more.
        case gone
        /// Somebody has said that it is off.
        case outOfService
        /// It is there, and its kubelet answers or not.
        case present(isReady: Bool)
        /// It can't be asked.
        case unknown(reason: String)

        /// Whether nothing can run there any more.
        var isLost: Bool { self == .gone || self == .outOfService }

        /// For people.
        var text: String {
            switch self {
            case .gone: "doesn't exist any more"
            case .outOfService: "is out of service"
            case .present(let isReady): isReady ? "answers" : "doesn't answer"
            case .unknown(let reason): "can't be looked at (\(reason))"
            }
        }
    }

    /// The state of a machine by its name.
    func state(of name: String) async -> State {
        do throws(K8sError) {
            guard let node = try await client.resources(ClusterNode.self, in: nil).get(name) else { return .gone }
            return node.isOutOfService ? .outOfService : .present(isReady: node.isReady)
        } catch {
            return .unknown(reason: error.message)
        }
    }
}
