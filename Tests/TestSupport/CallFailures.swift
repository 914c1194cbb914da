public import Control

/// What is to become of the next calls of a store in memory.
public struct CallFailures: Sendable {
    /// When a call fails.
    public enum Moment: Sendable, Hashable {
        /// Nothing was done.
        case before
        /// It was done, but the answer is lost.
        case after
    }

    private var waiting: [(error: StoreError, moment: Moment)] = []

    /// No failures.
    public init() {}

    /// One more call is to fail.
    public mutating func add(_ error: StoreError, _ moment: Moment) { waiting.append((error, moment)) }

    /// Does the work of a call, unless that is to fail.
    public mutating func next<Value>(_ work: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        guard !waiting.isEmpty else { return try work() }
        let (error, moment) = waiting.removeFirst()
        if moment == .after { _ = try work() }
        throw error
    }
}
