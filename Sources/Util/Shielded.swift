/// Runs work that is not to be broken off when the current task is cancelled, and waits for it.
///
/// A request that changes something elsewhere leaves it unknown what was done when its answer isn't waited for.
///
/// - Parameters:
///   - grace: how long the work may still go on after a cancellation; then it is cancelled too.
///   - work: what is to be done.
package func shielded<Value: Sendable>(
    grace: Duration,
    _ work: @escaping @Sendable () async -> Value
) async -> Value {
    let (cancellations, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    // Child tasks would be cancelled with their parent. These two are waited for before this returns, so they aren't loose.
    let work = Task { await work() }
    let timer = Task {
        for await _ in cancellations { break }
        do { try await Task.sleep(for: grace) } catch { return }
        work.cancel()
    }
    let value = await withTaskCancellationHandler {
        await work.value
    } onCancel: {
        signal.yield()
    }
    timer.cancel()
    await timer.value
    return value
}
