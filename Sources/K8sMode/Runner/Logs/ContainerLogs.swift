/// The logs that a kubelet keeps of a Pod's container: of the newest, and of the one before it.
struct ContainerLogs: Sendable, Hashable {
    /// One of the containers that were made for a Pod one after the other.
    struct Instance: Sendable, Hashable {
        /// Tells it from the others, also in stored positions.
        let mark: String
        /// Whether it isn't the newest.
        let isPrevious: Bool
        /// Whether more may come.
        let isRunning: Bool
    }

    /// The oldest first.
    let instances: [Instance]

    /// - Parameter status: what the kubelet says of the container; nil before it has said anything.
    init(_ status: ContainerStatus?) {
        guard let status else {
            instances = []
            return
        }
        let last = status.last.flatMap { $0.id.isEmpty ? nil : $0.id }
        let newest: String?
        var isRunning = false
        switch status.state {
        case .running:
            newest = status.id.isEmpty ? nil : status.id
            isRunning = true
        // One that couldn't be started has no id; the kubelet then gives the log of the one before.
        case .terminated(let end): newest = end.id.isEmpty ? last : end.id
        case .waiting: newest = last
        }
        var instances: [Instance] = []
        if let last, let newest, last != newest {
            instances.append(Instance(mark: PodLogPosition.mark(last), isPrevious: true, isRunning: false))
        }
        if let newest {
            instances.append(
                Instance(mark: PodLogPosition.mark(newest), isPrevious: false, isRunning: isRunning)
            )
        }
        self.instances = instances
    }
}
