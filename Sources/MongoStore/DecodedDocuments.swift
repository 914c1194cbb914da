import Crypto
import Model
import Synchronization

/// What the documents of the last full reading were decoded to: one that has the same bytes is the same, and most have.
final class DecodedDocuments<Entry: DocumentEntry>: Sendable {
    fileprivate struct Contents: Sendable {
        var entries: [Entry] = []
        var places: [DocumentDigest: Int] = [:]
    }

    private let last = Mutex(Contents())

    /// One full reading.
    final class Reading: Sendable {
        private let known: Contents
        private let digests: Mutex<[DocumentDigest]>

        fileprivate init(known: Contents) {
            self.known = known
            var digests: [DocumentDigest] = []
            digests.reserveCapacity(known.entries.count)
            self.digests = Mutex(digests)
        }

        /// What the next document is, decoded only if the last reading had none like it.
        func read(_ bytes: UnsafeRawBufferPointer) -> Entry {
            let digest = DocumentDigest(of: bytes)
            digests.withLock { $0.append(digest) }
            return known.places[digest].map { known.entries[$0] } ?? Entry(bson: bytes)
        }

        fileprivate var order: [DocumentDigest] { digests.withLock { $0 } }
    }

    /// Begins a reading.
    func reading() -> Reading { Reading(known: last.withLock { $0 }) }

    /// Ends a reading that has read every document.
    /// - Parameter entries: what it read, in its order.
    func finish(_ reading: Reading, _ entries: [Entry]) {
        let order = reading.order
        var places: [DocumentDigest: Int] = [:]
        places.reserveCapacity(order.count)
        for (place, digest) in order.enumerated() { places[digest] = place }
        last.withLock { $0 = Contents(entries: entries, places: places) }
    }
}

/// What tells a document's bytes from any others: half of their SHA-256.
struct DocumentDigest: Hashable, Sendable {
    private let first: UInt64
    private let second: UInt64

    init(of bytes: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        (first, second) = hash.finalize().withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
