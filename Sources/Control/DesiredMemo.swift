import Model

/// What the bots of a full reading ask for: one that is the same in the next asks for the same, which costs nothing to know.
struct DesiredMemo {
    private var stored: [StoredBot] = []
    private var desired: [Desired] = []
    private var places: [BotID: Int] = [:]

    /// A memo without anything in it.
    /// - Parameter count: how many bots there will be.
    init(count: Int = 0) {
        stored.reserveCapacity(count)
        desired.reserveCapacity(count)
        places.reserveCapacity(count)
    }

    /// What this very bot asked for.
    func desired(for bot: StoredBot) -> Desired? {
        guard let id = bot.id, let place = places[id], stored[place] == bot else { return nil }
        return desired[place]
    }

    /// Notes what a bot asks for.
    mutating func note(_ wanted: Desired, of bot: StoredBot) {
        guard let id = bot.id else { return }
        places[id] = stored.count
        stored.append(bot)
        desired.append(wanted)
    }
}
