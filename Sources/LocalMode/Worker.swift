import Runtime
import Util

/// Runs what blocks on threads of its own, and keeps its errors typed.
struct Worker: Sendable {
    let executor: BlockingExecutor

    func run<Value: Sendable>(_ work: @Sendable () throws(LocalError) -> Value) async throws(LocalError) -> Value {
        let result: Result<Value, LocalError>
        do {
            result = try await executor.blocking {
                do throws(LocalError) { return .success(try work()) } catch { return .failure(error) }
            }
        } catch {
            throw LocalError(.cancelled, "cancelled", cause: error)
        }
        return try result.get()
    }
}
