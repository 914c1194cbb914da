import Logging
import Model
public import Runtime
import Synchronization

extension DockerRunner {
    /// Has what a run wrote last read before its container is removed or replaced.
    ///
    /// The reader is called for every ended run and waited for, at most 10 s; then it is cancelled, which is logged, and the
    /// container is removed. Containers of version 1.2.0 that were made to remove themselves do so before that.
    public func readFinally(with reader: any FinalOutputReading) {
        finalReading.set(reader)
    }
}

/// Has the output of an ended run read to its end, by whoever wants that.
final class FinalReading: Sendable {
    private let reader = Mutex<(any FinalOutputReading)?>(nil)
    private let patience: Duration
    private let logger: Logger

    init(patience: Duration = .seconds(10), logger: Logger) {
        self.patience = patience
        self.logger = logger
    }

    func set(_ reader: any FinalOutputReading) {
        self.reader.withLock { $0 = reader }
    }

    /// Returns when the reader is done or its time is over.
    func read(_ run: ObservedRun) async {
        guard let reader = reader.withLock({ $0 }) else { return }
        let isDone = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await reader.readToEnd(of: run)
                return true
            }
            group.addTask { [patience] in
                do { try await Task.sleep(for: patience) } catch { return true }
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? true
        }
        guard !isDone else { return }
        logger.warning(
            "output of an ended bot isn't read to its end in time, its container is removed all the same",
            metadata: ["container": "\(run.reference)", "id": "\(run.id.text.escapedForMessage)"]
        )
    }
}
