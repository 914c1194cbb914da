import Synchronization

/// What this process has written and the cache may not show yet.
///
/// A cache is behind by the time a change takes to come. Whoever decides right after a write of ours must not decide by what was
/// before it.
final class RecentWrites: Sendable {
    /// What was done to the object of a name.
    private enum Write {
        case made(uid: String)
        case removed(uid: String)
    }

    private struct State {
        var pods: [ObjectKey: Write] = [:]
        /// The uids of Pods whose Secret was made.
        var secrets: Set<String> = []
        /// The uids of Pods that the server said it has no more.
        var gone: Set<String> = []
    }
    private let state = Mutex(State())

    func made(_ pod: Pod) { state.withLock { $0.pods[pod.key] = .made(uid: pod.uid) } }

    func removed(_ key: ObjectKey, uid: String) {
        state.withLock { state in
            state.pods[key] = .removed(uid: uid)
            state.secrets.remove(uid)
        }
    }

    func madeSecret(of uid: String) { state.withLock { _ = $0.secrets.insert(uid) } }

    /// Whether a Pod's Secret was made, as far as this process did it.
    func hasMadeSecret(of uid: String) -> Bool { state.withLock { $0.secrets.contains(uid) } }

    /// The cache shows a Pod's Secret: from now on it is the one to know.
    func sawSecret(of uid: String) { state.withLock { _ = $0.secrets.remove(uid) } }

    /// Whether the cache is behind what was written under a name.
    /// - Parameter uid: of the Pod that the cache has there; nil where it has none.
    func isBehind(_ key: ObjectKey, showing uid: String?) -> Bool {
        state.withLock { state in
            switch state.pods[key] {
            case nil: return false
            case .made(let made):
                guard uid != made else { break }
                return true
            case .removed(let removed):
                guard uid == removed else { break }
                return true
            }
            state.pods[key] = nil
            return false
        }
    }

    /// Forgets what the caches show by now.
    /// - Parameters:
    ///   - all: the uids of all Pods that are in caches.
    ///   - uid: of the Pod that the cache has under a name; nil where it has none.
    func prune(showing all: Set<String>, _ uid: (ObjectKey) -> String?) {
        let keys = state.withLock { state in
            state.gone.formIntersection(all)
            return Array(state.pods.keys)
        }
        for key in keys { _ = isBehind(key, showing: uid(key)) }
    }

    /// The server has a Pod no more.
    func sawGone(_ pod: PodReference) { state.withLock { _ = $0.gone.insert(pod.uid) } }

    /// Whether the server is known to have a Pod no more, whatever a cache shows.
    func knowsGone(_ uid: String) -> Bool { state.withLock { $0.gone.contains(uid) } }

    /// The server itself was asked after the write and has nothing under the name.
    func hasNothing(under key: ObjectKey) {
        state.withLock { state in
            if case .made = state.pods[key] { state.pods[key] = nil }
        }
    }
}
