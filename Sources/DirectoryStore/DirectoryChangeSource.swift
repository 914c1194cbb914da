public import Control
import Glibc
public import Logging
import Model
import Util

/// Notices saved files in a store's directory, once they have been quiet for a moment.
public struct DirectoryChangeSource: WakeSource {
    /// `directory`, or `runs`.
    public let name: String

    private let path: String
    private let logger: Logger
    private let executor: BlockingExecutor

    /// How long nothing must be written before a change counts, in milliseconds; a longer series counts at the latest after ten
    /// times as long.
    static let quiet: Int32 = 200

    /// When to look again after a wake, in milliseconds: what is missing is believed only once it has been so for two seconds.
    /// -1 is never.
    private let followUp: Int32

    /// A source over a directory, which may come to exist later.
    /// - Throws: `StoreError` when the system has no thread left to watch on.
    public init(path: String, logger: Logger) throws(StoreError) {
        try self.init(path: path, logger: logger, followUp: 2500)
    }

    /// A source over the runs that are kept in a directory: notices what other processes write there, as a run that somebody asks
    /// for, and what this one does.
    /// - Throws: `StoreError` when the system has no thread left to watch on.
    public static func runs(path: String, logger: Logger) throws(StoreError) -> DirectoryChangeSource {
        // Files are replaced whole: nothing is missing at a first look.
        try DirectoryChangeSource(path: "\(path)/\(StateFile.folder)", logger: logger, followUp: -1, name: "runs")
    }

    init(path: String, logger: Logger, followUp: Int32, name: String = "directory") throws(StoreError) {
        self.name = name
        self.followUp = followUp
        self.path = path
        self.logger = logger
        do { executor = try BlockingExecutor(name: "inotify", threads: 1) } catch {
            throw StoreError(.unavailable, error.message, cause: error)
        }
    }

    /// Watches the directory until cancelled, also while it isn't there.
    public func watch(_ wake: @escaping @Sendable (Wake) -> Void) async {
        let bell: Bell
        do throws(FileProblem) { bell = try Bell() } catch {
            logger.error("directory not watched, only polled", metadata: ["error": "\(error)"])
            return
        }
        await withTaskCancellationHandler {
            // Only cancellation makes it throw, before it has begun.
            try? await executor.blocking { self.loop(bell, wake) }
        } onCancel: {
            bell.ring()
        }
    }

    /// Watches until the bell rings; whatever goes wrong is tried again.
    private func loop(_ bell: Bell, _ wake: @Sendable (Wake) -> Void) {
        var isPolling = false
        while true {
            do throws(FileProblem) {
                let watch = try FolderWatch(root: path)
                try watch.watchAll()
                if isPolling { logger.info("directory is watched again", metadata: ["path": "\(path)"]) }
                isPolling = false
                wake(.everything)
                if follow(watch, bell, wake) { return }
            } catch {
                if !isPolling {
                    logger.warning(
                        "directory can't be watched, looking every 2s instead",
                        metadata: ["path": "\(path)", "error": "\(error)"]
                    )
                }
                isPolling = true
                if bell.rings(within: 2000) { return }
                wake(.everything)
            }
        }
    }

    /// Reports changes until the bell rings.
    /// - Returns: true for the bell, false when the directory itself is gone.
    private func follow(_ watch: borrowing FolderWatch, _ bell: Bell, _ wake: @Sendable (Wake) -> Void) -> Bool {
        var isFollowUpDue = true
        while true {
            switch bell.wait(besides: watch.descriptor, milliseconds: isFollowUpDue ? followUp : -1) {
            case .rung: return true
            case .timeout:
                isFollowUpDue = false
                wake(.everything)
                continue
            case .readable: break
            }
            // Drained before each look at the folders: what changes after the look rings again.
            var rounds = 0
            repeat {
                _ = watch.drain()
                rounds += 1
                let next = bell.wait(besides: watch.descriptor, milliseconds: Self.quiet)
                if next == .rung { return true }
                if next == .timeout { break }
            } while rounds < 10
            do throws(FileProblem) { try watch.watchAll() } catch { return false }
            wake(.everything)
            isFollowUpDue = true
        }
    }
}

/// Wakes a thread that waits for a descriptor.
///
/// Safety: a pipe may be written and polled from any thread; it is closed when nobody refers to the bell any more.
final class Bell: Sendable {
    enum Reason: Equatable { case rung, readable, timeout }

    private let descriptor: Int32
    private let writer: Int32

    init() throws(FileProblem) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system(errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writer) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    func ring() {
        var byte: UInt8 = 1
        // A pipe that is full rings already.
        _ = write(writer, &byte, 1)
    }

    func rings(within milliseconds: Int32) -> Bool { wait(besides: -1, milliseconds: milliseconds) == .rung }

    /// Waits until the bell rings, the other descriptor can be read, or the time is over; -1 waits for ever.
    func wait(besides other: Int32, milliseconds: Int32) -> Reason {
        while true {
            var polled = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: other, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&polled, nfds_t(polled.count), milliseconds)
            if count < 0, errno == EINTR { continue }
            if polled[0].revents != 0 { return .rung }
            return count > 0 ? .readable : .timeout
        }
    }
}
