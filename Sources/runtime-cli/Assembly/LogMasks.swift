import Control
import Logs
import Model
import Synchronization

/// Which parameters of each bot are to be masked in its lines, as they were read last.
final class LogMasks: Sendable {
    private let maskings = Mutex<[BotID: LogMasking]>([:])

    /// What to mask in a bot's lines; nil for nothing. Of a bot that was removed it is known until the next full reading.
    func masking(of id: BotID) -> LogMasking? { maskings.withLock { $0[id] } }

    /// Takes note of bots.
    /// - Parameter areAll: whether there are no others.
    fileprivate func note(_ bots: [Bot], areAll: Bool) {
        let known = bots.map { ($0.id, LogMasking(config: $0.config)) }.filter { !$0.1.isEmpty }
        let found = Dictionary(known) { first, _ in first }
        maskings.withLock { $0 = areAll ? found : $0.merging(found) { _, new in new } }
    }
}

/// A store of bots that takes note of what is to be masked.
struct MaskedBots: BotStore {
    let store: any BotStore
    let masks: LogMasks

    func bots() async throws(StoreError) -> [StoredBot] {
        let stored = try await store.bots()
        masks.note(stored.compactMap(\.usable), areAll: true)
        return stored
    }

    func bot(_ id: BotID) async throws(StoreError) -> StoredBot? {
        let stored = try await store.bot(id)
        masks.note([stored?.usable].compactMap(\.self), areAll: false)
        return stored
    }
}

/// A store of schedules that takes note of what is to be masked.
struct MaskedSchedules: ScheduleStore {
    let store: any ScheduleStore
    let masks: LogMasks

    func schedules() async throws(StoreError) -> [StoredSchedule] {
        let stored = try await store.schedules()
        masks.note(stored.compactMap(\.usable), areAll: true)
        return stored
    }

    func schedules(_ ids: [BotID]) async throws(StoreError) -> [StoredSchedule] {
        let stored = try await store.schedules(ids)
        masks.note(stored.compactMap(\.usable), areAll: false)
        return stored
    }

    func move(_ moves: [CursorMove]) async throws(StoreError) -> Set<BotID> { try await store.move(moves) }
}

extension StoredBot {
    fileprivate var usable: Bot? {
        guard case .bot(let bot) = self else { return nil }
        return bot
    }
}

extension StoredSchedule {
    fileprivate var usable: Bot? {
        guard case .schedule(let schedule) = self else { return nil }
        return schedule.bot
    }
}
