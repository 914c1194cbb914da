import Model

/// The names of what a runner makes in the cluster.
///
/// They are deterministic: the API server refuses a second object of a name, which keeps a bot from running twice whatever the
/// controllers know of each other.
enum K8sNames {
    /// The Pod of a live bot.
    static func pod(_ id: BotID) -> String { SafeName.objectName(id, prefix: "bot").text }

    /// The claim for a bot's state, whatever is run for it.
    static func claim(kind: ExecutableKind, id: BotID) -> String {
        SafeName.objectName(id, prefix: kind == .live ? "bot-state" : "run-state").text
    }

    /// A Secret for a Pod of this name. Each Pod has one of its own, so that a Pod never gets what was its predecessor's, which
    /// the server may take a while to collect.
    static func secret(pod: String) -> String {
        var generator = SystemRandomNumberGenerator()
        let nonce = String(UInt64.random(in: 0 ... .max, using: &generator), radix: 36)
        return "\(pod)-\(nonce)"
    }
}
