package import Logging
import Model
import Synchronization

/// Has the output of an ended run read to its end, by whoever wants that.
package final class FinalReading: Sendable {
    private let reader = Mutex<(any FinalOutputReading)?>(nil)
    private let patience: Duration
    private let logger: Logger

    /// Nothing is read until there is a reader.
    /// - Parameters:
    ///   - patience: how long a reading is waited for.
    ///   - logger: told of readings that took longer.
    package init(patience: Duration = .seconds(10), logger: Logger) {
        self.patience = patience
        self.logger = logger
    }

    /// Takes the one who reads.
    package func set(_ reader: any FinalOutputReading) {
        self.reader.withLock { $0 = reader }
    }

    /// Returns when the reader is done or its time is over.
    package func read(_ run: ObservedRun) async {
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
            "output of an ended bot isn't read to its end in time, what is left of it is removed all the same",
            metadata: ["run": "\(run.reference)", "id": "\(run.id.text.escapedForMessage)"]
        )
    }
}
