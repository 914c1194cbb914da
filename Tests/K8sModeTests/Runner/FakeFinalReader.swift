import Runtime
import Synchronization

/// Reads nothing; remembers what it was asked to read.
final class FakeFinalReader: FinalOutputReading {
    private let state = Mutex<(read: [String], wasThere: [Bool], look: (@Sendable () -> Bool)?)>(([], [], nil))

    /// The references of the runs.
    var read: [String] { state.withLock { $0.read } }
    /// What was looked up at each reading.
    var wasThere: [Bool] { state.withLock { $0.wasThere } }

    func whenRead(_ look: @escaping @Sendable () -> Bool) { state.withLock { $0.look = look } }

    func readToEnd(of run: ObservedRun) async {
        state.withLock { state in
            state.read.append(run.reference)
            if let look = state.look { state.wasThere.append(look()) }
        }
    }
}
