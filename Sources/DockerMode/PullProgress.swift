import Model

/// Reads the stream of a pull: what there is to say of it now and then, and whether it failed.
struct PullProgress {
    /// Why the pull failed, where it did.
    private(set) var problem: String?
    private var layers: [String: (current: Int64, total: Int64)] = [:]
    private var said: ContinuousClock.Instant?
    private let pause: Duration

    /// - Parameter pause: the least time between two texts.
    init(pause: Duration = .seconds(5)) {
        self.pause = pause
    }

    /// Takes a line of the stream; returns a text when it is time for one.
    mutating func take(_ line: [UInt8], at now: ContinuousClock.Instant) -> String? {
        guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) else { return nil }
        guard let event = (try? JSONValue.parse(line))?.object else {
            problem = problem ?? "its progress is no JSON"
            return nil
        }
        if let message = event["errorDetail"]?.object?["message"]?.string ?? event["error"]?.string {
            problem = message.onOneLine
        }
        if let id = event["id"]?.string, let detail = event["progressDetail"]?.object,
            case .integer(let current) = detail["current"], case .integer(let total) = detail["total"],
            layers.count < 1000
        {
            layers[id] = (current, total)
        }
        if let said, said.duration(to: now) < pause { return nil }
        let total = layers.values.reduce(Int64(0)) { $0 &+ $1.total }
        guard total > 0 else { return nil }
        said = now
        let current = layers.values.reduce(Int64(0)) { $0 &+ $1.current }
        return "\(current >> 20) of \(total >> 20) MiB in \(layers.count) layers"
    }
}
