import Synchronization

/// One instance for the whole test process, started when it is first asked for.
final class SharedService<Service: Sendable>: Sendable {
    private let starting = Mutex<Task<Service, any Error>?>(nil)
    private let start: @Sendable () async throws -> Service

    init(_ start: @escaping @Sendable () async throws -> Service) {
        self.start = start
    }

    /// The instance; a start that failed fails for everybody.
    func instance() async throws -> Service {
        let task = starting.withLock { starting in
            if let running = starting { return running }
            let new = Task { [start] in try await start() }
            starting = new
            return new
        }
        return try await task.value
    }
}
