import Control
import Model
import Synchronization
import Util

/// A directory of programs and bots as one reader of it sees it, with what that reader remembers of earlier readings.
///
/// Every call blocks while it reads, except ``blocking(_:)``, which is the way to make them.
final class BotDirectory: Sendable {
    /// The file that makes a folder a program.
    static let programFile = "bot-config.yaml"
    /// The file with the parameters of a folder's bot.
    static let configFile = "config.json"
    /// The file that lists bots.
    static let listFile = "bots.yaml"
    /// The folder that schedulers keep cursors and runs in; never a program.
    static let ownFolder = ".runtime"

    /// What is wrong with something that was there a moment ago.
    static let doubt = "was there at the last reading and is missing; that is believed after 2 seconds"

    let path: String
    /// Reads the folders that ``entries()`` names.
    let reader: BotFolderReader
    private let executor: BlockingExecutor
    private let clock: FileClock
    private let files: Vanishings
    private let programs: Vanishings
    /// The folder in which something was found last.
    private let lastRoot = Mutex<FileIdentity?>(nil)

    init(path: String, clock: FileClock, grace: Duration) throws(StoreError) {
        self.path = path
        self.clock = clock
        files = Vanishings(grace: grace, clock: clock)
        programs = Vanishings(grace: grace, clock: clock)
        reader = BotFolderReader(root: path, clock: clock, vanishings: files)
        do { executor = try BlockingExecutor(name: "directory", threads: 2) } catch {
            throw StoreError(.unavailable, error.message, cause: error)
        }
    }

    /// Makes calls that block, off Swift's cooperative pool.
    func blocking<Value: Sendable>(_ body: @escaping @Sendable (BotDirectory) throws(StoreError) -> Value)
        async throws(StoreError) -> Value
    {
        do { return try await executor.blocking { try body(self) } } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(.cancelled, "reading \(path.escapedForMessage) was cancelled", cause: error)
        }
    }

    /// What the directory lists. An entry that is broken is one failure among the others; a list that can't be read is none.
    func entries() throws(StoreError) -> [BotEntry] {
        let names: [String]
        let root: FileIdentity
        do throws(FileProblem) {
            root = try TextFile.identity(path)
            names = try TextFile.names(in: path).filter { $0 != Self.ownFolder }
        } catch { throw failure(path, error.description) }
        let list: String?
        do throws(FileProblem) {
            list = try TextFile.read("\(path)/\(Self.listFile)", limit: YAMLDocument.longest, clock: clock)
        } catch {
            // There, though it can't be read.
            files.saw(Self.listFile)
            throw failure("\(path)/\(Self.listFile)", error.description)
        }
        if let list {
            files.saw(Self.listFile)
            lastRoot.withLock { $0 = root }
            return try entries(of: list, folders: Set(names))
        }
        let found = names.filter { TextFile.mayExist("\(path)/\($0)/\(Self.programFile)") }
        // A mount point whose file system is gone is an empty folder too, for as long as that lasts.
        guard !found.isEmpty || lastRoot.withLock({ $0 == nil || $0 == root }) else {
            throw failure(
                path,
                "is another folder than before and holds no bots; is something not mounted? A bots.yaml with [] means none"
            )
        }
        guard files.isGone(Self.listFile) else { throw failure("\(path)/\(Self.listFile)", Self.doubt) }
        let doubtful = programs.doubtful(besides: found)
        guard !found.isEmpty || doubtful.isEmpty else {
            throw failure(path, "holds no bots; \(doubtful.count) were there at the last reading")
        }
        if !found.isEmpty { lastRoot.withLock { $0 = root } }
        return found.map { .instance(BotInstance(folder: $0)) }
            + doubtful.map { folder in
                let id = BotInstance(folder: folder).id
                return .broken(
                    id,
                    DocumentError(id: id.text, field: "\(folder)/\(Self.programFile)", problem: Self.doubt)
                )
            }
    }

    private func entries(of list: String, folders: Set<String>) throws(StoreError) -> [BotEntry] {
        let place = "\(path)/\(Self.listFile)"
        let value: JSONValue
        do throws(YAMLProblem) { value = try YAMLDocument.parse(list) } catch {
            throw failure(place, error.description)
        }
        let listed = if case .object(let object) = value, object.count == 1 { object["bots"] ?? value } else { value }
        switch listed {
        case .null:
            throw failure(place, "is empty; a list without bots is written []")
        case .array(let elements):
            return elements.enumerated().map { BotEntry($1, position: $0 + 1, folders: folders) }
        default:
            throw failure(place, "is \(listed.kindName); expected a list of bots, or a mapping with the one key bots")
        }
    }

    private func failure(_ place: String, _ problem: String) -> StoreError {
        StoreError(.unavailable, "\(place.escapedForMessage) \(problem)")
    }
}
