import Synchronization
public import Util

/// What readiness depends on: services that must answer, and conditions that must have been met once.
///
/// Everything named is unmet until it is reported: unknown is not healthy.
public final class HealthState: Sendable {
    fileprivate enum Dependency {
        case unknown
        case ok
        case failing(reason: String)
    }

    private struct State {
        var dependencies: [String: Dependency]
        var conditions: [String: Bool]
    }

    private let state: Mutex<State>
    private let secrets: Secrets

    /// A state in which nothing has been reported yet.
    ///
    /// - Parameters:
    ///   - dependencies: names of what must answer, such as "mongodb".
    ///   - conditions: names of what must have happened, such as "first full pass".
    ///   - secrets: what is masked in reasons.
    public init(dependencies: [String], conditions: [String], secrets: Secrets) {
        self.secrets = secrets
        state = Mutex(
            State(
                dependencies: Dictionary(dependencies.map { ($0, .unknown) }) { first, _ in first },
                conditions: Dictionary(conditions.map { ($0, false) }) { first, _ in first }
            )
        )
    }

    /// Reports that a dependency answers; one not named before counts from now on.
    public func ok(_ dependency: String) {
        state.withLock { $0.dependencies[dependency] = .ok }
    }

    /// Reports that a dependency doesn't answer; one not named before counts from now on.
    ///
    /// - Parameters:
    ///   - dependency: its name.
    ///   - reason: for operators, cut to 300 characters; secrets and credentials of URLs in it are masked.
    public func failing(_ dependency: String, reason: String) {
        // Masked before it is cut, or a secret could be cut in half and no longer be recognised.
        let shown = String(secrets.redact(reason).prefix(300))
        state.withLock { $0.dependencies[dependency] = .failing(reason: shown) }
    }

    /// Reports that a condition is met, for good.
    public func met(_ condition: String) {
        state.withLock { $0.conditions[condition] = true }
    }

    /// Whether everything is well, and a JSON object that says of everything whether it is.
    ///
    /// `{"ready":false,"dependencies":{"mongodb":{"ok":false,"reason":"…"}},"conditions":{"first full pass":true}}`
    public func readiness() -> (ready: Bool, body: String) {
        let state = state.withLock { $0 }
        let dependencies = state.dependencies.sorted { $0.key < $1.key }
        let conditions = state.conditions.sorted { $0.key < $1.key }
        let isReady = conditions.allSatisfy(\.value) && dependencies.allSatisfy { $0.value.isOK }
        let dependenciesJSON = dependencies.map { "\($0.key.jsonQuoted):\($0.value.json)" }.joined(separator: ",")
        let conditionsJSON = conditions.map { "\($0.key.jsonQuoted):\($0.value)" }.joined(separator: ",")
        let body = "{\"ready\":\(isReady),\"dependencies\":{\(dependenciesJSON)},\"conditions\":{\(conditionsJSON)}}"
        return (isReady, body)
    }
}

extension HealthState.Dependency {
    fileprivate var isOK: Bool {
        if case .ok = self { true } else { false }
    }

    fileprivate var json: String {
        switch self {
        case .unknown: "{\"ok\":false,\"reason\":\"not checked yet\"}"
        case .ok: "{\"ok\":true}"
        case .failing(let reason): "{\"ok\":false,\"reason\":\(reason.jsonQuoted)}"
        }
    }
}
