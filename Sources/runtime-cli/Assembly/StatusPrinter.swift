import Control
import Foundation
import Logging
import Model
import ServiceLifecycle
import Util

/// Prints a table of all bots whenever one changes, as long as somebody reads it.
struct StatusPrinter: Service {
    let statuses: StatusBoard
    /// A reader that is slow, as a pager, holds up nobody else.
    let executor: BlockingExecutor
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            do { try await printChanges() } catch {
                guard !Task.isCancelled else { return }
                logger.warning(
                    "the table of bots can't be printed any more",
                    metadata: ["error": "\(error.systemReason)"]
                )
            }
        }
        // A service that ends would end all others.
        try? await gracefulShutdown()
    }

    private func printChanges() async throws {
        var shown = ""
        while true {
            let rows = statuses.all.map { [$0.id.text, $0.status.name, $0.status.reason] }
            let table = TextTable.render(header: ["BOT", "STATUS", "REASON"], rows: rows)
            if table != shown, !rows.isEmpty {
                try await executor.blocking {
                    try FileHandle.standardOutput.write(contentsOf: Data("\n\(table)\n\n".utf8))
                }
                shown = table
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
