/// Waits until something becomes true, and returns at once when it is: for what happens in another process.
/// - Parameters:
///   - limit: the longest wait on a machine that does nothing else; one that is busy gets three times as long.
///   - what: what is waited for, for the message.
///   - condition: asked again and again; an error it throws counts as "not yet" and is told at the end.
/// - Throws: `FixtureError` when it has not become true in time; cancellation at once.
public func eventually(
    within limit: Duration = .seconds(10),
    _ what: String = "the expected state",
    condition: () async throws -> Bool
) async throws {
    _ = try await eventuallyValue(within: limit, what) { try await condition() ? true : nil }
}

/// Waits until there is a value, as `eventually` does.
/// - Returns: the value.
public func eventuallyValue<Value>(
    within limit: Duration = .seconds(10),
    _ what: String = "the expected value",
    value: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let limit = limit * 3
    let deadline = clock.now.advanced(by: limit)
    var pause = Duration.milliseconds(2)
    while true {
        var lastError: (any Error)?
        do {
            if let found = try await value() { return found }
        } catch let error as CancellationError {
            throw error
        } catch {
            lastError = error
        }
        guard clock.now < deadline else {
            throw FixtureError("\(what): not within \(limit)" + (lastError.map { "; last error: \($0)" } ?? ""))
        }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(50))
    }
}
