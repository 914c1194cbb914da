import Model

/// A container as `GET /containers/json` shows it, as far as it is of use here.
struct ContainerSummary: Sendable, Hashable {
    var id = ""
    var state = ""
    /// Seconds since 1970.
    var created: Int64 = 0
    /// The labels of ours, by name.
    var labels: [String: String] = [:]

    /// Reads a list of containers.
    /// - Throws: when the text isn't a whole JSON array of objects with an id and a state.
    static func list(_ bytes: [UInt8]) throws(JSONSkimmer.Failure) -> [ContainerSummary] {
        var containers: [ContainerSummary] = []
        var skimmer = JSONSkimmer(bytes)
        try skimmer.elements { (element) throws(JSONSkimmer.Failure) in
            containers.append(try ContainerSummary(&element))
        }
        try skimmer.end()
        return containers
    }

    private init(_ skimmer: inout JSONSkimmer) throws(JSONSkimmer.Failure) {
        let beginning = skimmer
        try skimmer.members { (value, key) throws(JSONSkimmer.Failure) in
            switch key {
            case "Id": id = try value.string()
            case "State": state = try value.string()
            case "Created": created = try value.integer()
            case "Labels":
                try value.members { (label, name) throws(JSONSkimmer.Failure) in
                    if name.hasPrefix("runtime.") { labels[name] = try label.string() } else { try label.skip() }
                }
            default: try value.skip()
            }
        }
        guard !id.isEmpty, !state.isEmpty else { throw JSONSkimmer.Failure(offset: beginning.offset) }
    }
}
