import Control
import Model
import Synchronization

/// A store in memory that fails on command.
final class MemoryStore: BotWriting {
    fileprivate struct State {
        var documents: [BotID: JSONObject] = [:]
        var failure: StoreError.Code?
        var writes: [BotID] = []
        var attempts = 0
    }

    private let state = Mutex(State())

    /// What there is.
    var documents: [BotID: JSONObject] { state.withLock { $0.documents } }
    /// The bots written to, in order.
    var writes: [BotID] { state.withLock { $0.writes } }
    /// Writes tried, failed ones included.
    var attempts: Int { state.withLock { $0.attempts } }

    /// Fails from now on, or no longer.
    func fail(_ code: StoreError.Code?) { state.withLock { $0.failure = code } }

    func isEmpty() async throws(StoreError) -> Bool {
        try state.withLock { state throws(StoreError) in
            try state.check()
            return state.documents.isEmpty
        }
    }

    func create(_ document: BotDocument) async throws(StoreError) {
        try write(document.id) { documents in
            if documents[document.id] == nil { documents[document.id] = document.fields }
        }
    }

    func update(_ document: BotDocument) async throws(StoreError) {
        try write(document.id) { documents in
            for (key, value) in document.fields.members { documents[document.id, default: [:]][key] = value }
        }
    }

    func delete(_ id: BotID) async throws(StoreError) { try write(id) { $0[id] = nil } }

    private func write(_ id: BotID, _ change: (inout [BotID: JSONObject]) -> Void) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            state.attempts += 1
            try state.check()
            state.writes.append(id)
            change(&state.documents)
        }
    }
}

extension MemoryStore.State {
    fileprivate func check() throws(StoreError) {
        if let failure { throw StoreError(failure, "failing on command") }
    }
}
