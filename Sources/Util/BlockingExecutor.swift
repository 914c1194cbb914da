/// Threads of its own for calls that block, so that these don't hold up Swift's cooperative pool.
///
/// Threads are started as they are needed, and end when the executor is released and its work is done.
public final class BlockingExecutor: TaskExecutor {
    private let queue: JobQueue

    /// An executor with a bounded number of threads.
    ///
    /// - Parameters:
    ///   - name: the threads' name, as debuggers show it (fifteen bytes on Linux).
    ///   - threads: the most calls that block at once; less than 1 counts as 1. More wait in the order they came.
    /// - Throws: ``UtilError`` with code `threadUnavailable` when the system gives not even one thread.
    public init(name: String, threads: Int = 16) throws(UtilError) {
        queue = JobQueue(name: name, maximumThreads: max(1, threads))
        let error = queue.startFirstThread()
        guard error == 0 else {
            throw UtilError(.threadUnavailable, "no thread for \(name.quotedForError): system error \(error)")
        }
    }

    deinit {
        queue.close()
    }

    /// Takes a job of a task that prefers this executor.
    public func enqueue(_ job: consuming ExecutorJob) {
        queue.add(UnownedJob(job), executor: self)
    }

    /// Runs a call that may block, on one of this executor's threads.
    ///
    /// - Throws: the call's error; `CancellationError` when the task is cancelled before the call begins. A call under
    ///   way can't be cancelled.
    public func blocking<Value: Sendable>(_ call: @Sendable () throws -> Value) async throws -> Value {
        try await withTaskExecutorPreference(self) {
            try Task.checkCancellation()
            return try call()
        }
    }
}
