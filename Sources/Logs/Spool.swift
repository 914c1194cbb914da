import Crypto
import Glibc
import Model
public import Util

/// The folder that bots' lines wait in until they are in the object store: one folder for each bot, named by a hash of its id.
///
/// Only one process has it at a time.
public final class Spool: Sendable {
    /// How a spool goes about its work.
    public struct Options: Sendable {
        /// The most bytes that all bots together may hold, but for 1 MiB that each of them always may.
        public var limit: Int
        /// When there is no object store: how many bytes of its last lines are kept of each bot.
        public var ring: Int?
        /// How large the files are that lines wait in, about.
        var segmentSize = 1 << 20

        /// 1 GiB for all, and nothing goes before it is stored, unless given otherwise.
        public init(limit: Int = 1 << 30, ring: Int? = nil) {
            self.limit = limit
            self.ring = ring
        }
    }

    let path: String
    let options: Options
    let budget: SpoolBudget
    private let lock: Int32
    private let bots = DiskLock<[BotID: BotSpool]>([:])
    /// What was found damaged in it.
    public let damage: [String]

    /// Opens a spool, or makes it; blocks.
    /// - Parameters:
    ///   - path: its folder; the one it lies in must exist.
    ///   - options: its limits.
    ///   - now: when it is opened.
    /// - Throws: ``LogsError``, with code `spoolInUse` when another process has it.
    public init(path: String, options: Options = Options(), now: Timestamp = .now) throws(LogsError) {
        guard options.limit > 0, options.ring.map({ $0 > 0 }) ?? true else {
            throw LogsError(.invalidOption, "a spool's limits have to be more than 0 bytes", isRetryable: false)
        }
        self.path = path
        self.options = options
        budget = SpoolBudget(limit: options.limit)
        try SpoolFile.makeFolder(path)
        lock = try Self.lock(path + "/lock")
        var damage: [String] = []
        do throws(LogsError) {
            try SpoolFile.makeFolder(path + "/bots")
            for name in try SpoolFile.names(in: path + "/bots") ?? [] {
                guard let spool = try Self.open(path + "/bots/" + name, name, budget, options, now, &damage) else {
                    continue
                }
                bots.withLock { $0[spool.id] = spool }
            }
        } catch {
            close(lock)
            throw error
        }
        self.damage = damage
    }

    deinit {
        // Closing alone leaves it locked while a child that was just forked has the descriptor too.
        flock(lock, LOCK_UN)
        close(lock)
    }

    /// How many bytes it takes up.
    public var usedBytes: Int { budget.usedBytes }

    /// All bots that have something in it.
    var all: [BotSpool] { bots.withLock { Array($0.values) } }

    /// The part of a bot, made when it isn't there; blocks.
    func bot(_ id: BotID, now: Timestamp) throws(LogsError) -> BotSpool {
        try bots.withLock { bots throws(LogsError) in
            if let bot = bots[id] { return bot }
            let folder = path + "/bots/" + Self.folderName(of: id)
            try SpoolFile.makeFolder(folder)
            try SpoolFile.with(folder + "/id", O_WRONLY | O_CREAT | O_TRUNC) { descriptor throws(LogsError) in
                try SpoolFile.write(Array(id.text.utf8), at: 0, descriptor, folder + "/id")
            }
            let disk = try SpoolDisk(folder: folder, budget: budget, options: options, now: now)
            let bot = BotSpool(id: id, disk: disk)
            bots[id] = bot
            return bot
        }
    }

    /// Removes what is kept of bots that have no runs any more, once all of it is stored and has been for a time; blocks.
    /// - Parameters:
    ///   - observed: the bots that have runs.
    ///   - age: how long nothing happened.
    func removeLeftovers(observed: Set<BotID>, age: Duration, now: Timestamp) throws(LogsError) {
        try bots.withLock { bots throws(LogsError) in
            for (id, bot) in bots where !observed.contains(id) && bot.isWritten {
                let isGone = try bot.withDisk { disk throws(LogsError) in try disk.removeIfUnused(since: age, now: now)
                }
                if isGone { bots[id] = nil }
            }
        }
    }

    /// A bot's folder; an id may hold anything and is never part of a path.
    static func folderName(of id: BotID) -> String {
        SHA256.hash(data: Array(id.text.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    private static func open(
        _ folder: String,
        _ name: String,
        _ budget: SpoolBudget,
        _ options: Options,
        _ now: Timestamp,
        _ damage: inout [String]
    ) throws(LogsError) -> BotSpool? {
        guard let bytes = try SpoolFile.read(folder + "/id"), let text = String(validating: bytes, as: UTF8.self),
            folderName(of: BotID(text)) == name
        else {
            damage.append("\(folder): it doesn't say which bot it is of")
            return nil
        }
        let disk = try SpoolDisk(folder: folder, budget: budget, options: options, now: now)
        damage += disk.damage
        return BotSpool(id: BotID(text), disk: disk)
    }

    private static func lock(_ path: String) throws(LogsError) -> Int32 {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("can't make", path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            guard number == EWOULDBLOCK else { throw .system("can't lock", path, number) }
            throw LogsError(
                .spoolInUse,
                "another process has \(path): each needs a folder of its own",
                isRetryable: false
            )
        }
        return descriptor
    }
}
