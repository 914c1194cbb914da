/// Runs work that is not to be broken off when the current task is cancelled, and waits for it: half a start or half a removal
/// would leave it unknown what runs.
func shielded<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value {
    // A child task would be cancelled with its parent. This one is waited for before this returns, so it isn't loose.
    await Task { await work() }.value
}

/// The same for work that may fail.
func shielded<Value: Sendable>(
    _ work: @escaping @Sendable () async throws(LocalError) -> Value
) async throws(LocalError) -> Value {
    let result = await shielded { () async -> Result<Value, LocalError> in
        do throws(LocalError) { return .success(try await work()) } catch { return .failure(error) }
    }
    return try result.get()
}
