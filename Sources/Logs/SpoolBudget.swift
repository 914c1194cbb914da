import Synchronization

/// Room on the disk that all bots share.
///
/// A bot may hold as much as half of what is free, but always a little: so a bot that shouts leaves room for those that come
/// later, and one that whispers is never pushed out (dynamic thresholds, as switches share their buffers: Choudhury and Hahne,
/// IEEE/ACM Transactions on Networking 6, 1998).
final class SpoolBudget: Sendable {
    /// What every bot may hold.
    static let floor = 1 << 20

    let limit: Int
    private let used = Atomic(0)

    init(limit: Int) { self.limit = limit }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// The most a bot may hold at the moment.
    var share: Int { max(Self.floor, (limit - usedBytes) / 2) }

    /// Takes room for a bot that holds so much already, if it may have it.
    /// - Parameter isDropping: whether the last was refused; then there has to be a good deal of room before it begins again.
    func take(_ bytes: Int, held: Int, isDropping: Bool) -> Bool {
        let share = isDropping ? share / 8 * 7 : share
        guard held + bytes <= share else { return false }
        used.wrappingAdd(bytes, ordering: .relaxed)
        return true
    }

    /// Counts room that is in use already.
    func add(_ bytes: Int) { used.wrappingAdd(bytes, ordering: .relaxed) }

    func giveBack(_ bytes: Int) { used.wrappingSubtract(bytes, ordering: .relaxed) }
}
