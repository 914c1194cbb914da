import Model

/// What a bot keeps between its runs, and whose it is.
struct StateFolder: Sendable {
    let path: String

    /// The bot's `/state`.
    var content: String { "\(path)/state" }
    private var owner: String { "\(path)/owner" }

    /// Makes it, unless it is there.
    func make(kind: ExecutableKind, id: BotID) throws(LocalError) {
        try SystemFile.makeFolder(path)
        try SystemFile.makeFolder(content)
        guard try readOwner() == nil else { return }
        try JSONFile.replace(owner, ["id": .string(id.text), "kind": .string(kind.rawValue)])
    }

    /// Whose it is; nil when that isn't noted, as in the first moment.
    func readOwner() throws(LocalError) -> (kind: ExecutableKind, id: BotID)? {
        guard let object = try JSONFile.read(owner) else { return nil }
        guard let id = object["id"]?.string, !id.isEmpty,
            let kind = object["kind"]?.string.flatMap({ ExecutableKind(rawValue: $0) })
        else { throw LocalError(.damaged, "\(owner) doesn't say whose it is") }
        return (kind, BotID(id))
    }
}
