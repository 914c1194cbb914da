public import Model

/// How much memory and CPU a bot may use, and how much is set aside for it.
public struct Resources: Sendable, Hashable {
    /// Most memory, in bytes; beyond it the bot is killed.
    public var memoryLimit: Int64
    /// Memory set aside, in bytes.
    public var memoryRequest: Int64
    /// Most CPU, in thousandths of a core.
    public var cpuLimit: Int64
    /// CPU set aside, in thousandths of a core.
    public var cpuRequest: Int64

    /// Resources in bytes and thousandths of a core.
    public init(memoryLimit: Int64, memoryRequest: Int64, cpuLimit: Int64, cpuRequest: Int64) {
        self.memoryLimit = memoryLimit
        self.memoryRequest = memoryRequest
        self.cpuLimit = cpuLimit
        self.cpuRequest = cpuRequest
    }

    /// What a bot gets that asks for nothing: 512Mi of at least 128Mi, 500m of at least 100m.
    public static let standard = Resources(
        memoryLimit: 512 << 20,
        memoryRequest: 128 << 20,
        cpuLimit: 500,
        cpuRequest: 100
    )

    /// The least memory that a container engine accepts, 6 MiB.
    public static let leastMemory: Int64 = 6 << 20

    /// The most CPU that may be asked for, a million cores: platforms count in billionths, and that has to fit 64 bits.
    public static let mostCPU: Int64 = 1_000_000_000

    /// Reads `memory_limit`, `cpu_limit`, `memory_request` and `cpu_request` of a bot's config.
    ///
    /// A request that the bot doesn't set is lowered to its limit.
    /// - Throws: `DocumentError` for what isn't a quantity, is zero or too small, or a request above its limit.
    public init(config: JSONObject, id: BotID, defaults: Resources) throws(DocumentError) {
        let reader = QuantityReader(id: id, config: config)
        memoryLimit =
            try reader.value("memory_limit", least: Resources.leastMemory) { $0.roundedUp } ?? defaults.memoryLimit
        cpuLimit = try reader.value("cpu_limit", least: 1, most: Resources.mostCPU) { $0.millis } ?? defaults.cpuLimit
        let memory = try reader.value("memory_request", least: 1) { $0.roundedUp }
        let cpu = try reader.value("cpu_request", least: 1, most: Resources.mostCPU) { $0.millis }
        try reader.check("memory_request", memory, notAbove: memoryLimit)
        try reader.check("cpu_request", cpu, notAbove: cpuLimit)
        memoryRequest = memory ?? min(defaults.memoryRequest, memoryLimit)
        cpuRequest = cpu ?? min(defaults.cpuRequest, cpuLimit)
    }
}

private struct QuantityReader {
    let id: BotID
    let config: JSONObject

    func failure(_ field: String, _ problem: String) -> DocumentError {
        DocumentError(id: id.text, field: "config.\(field)", problem: problem)
    }

    func value(
        _ field: String,
        least: Int64,
        most: Int64 = .max,
        _ unit: (Quantity) -> Int64
    ) throws(DocumentError) -> Int64? {
        let text: String
        switch config[field] {
        case nil, .null: return nil
        case .string(let value): text = value
        case .integer(let value): text = String(value)
        case .double(let value): text = String(value)
        case .some(let other):
            throw failure(field, "is \(other.kindName); expected a quantity as \"512Mi\" or \"500m\"")
        }
        let amount: Int64
        do { amount = unit(try Quantity(text)) } catch { throw failure(field, error.problem) }
        guard amount >= least else {
            throw failure(field, "is less than the least allowed, \(least)")
        }
        guard amount <= most else { throw failure(field, "is more than the most allowed, \(most / 1000)") }
        return amount
    }

    func check(_ field: String, _ value: Int64?, notAbove limit: Int64) throws(DocumentError) {
        guard let value, value > limit else { return }
        throw failure(field, "is above the limit of \(limit)")
    }
}
