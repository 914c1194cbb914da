import Model
import Util

/// A Lease as it was last seen, and since when it has been as it is, by this process's own clock.
///
/// The times in a Lease are its holder's. The clocks of two machines differ, so they are compared with nothing: what counts is
/// how long the Lease has been seen not to change.
struct LeaseRecord<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    private var spec: JSONValue?
    private var since: Instant?

    /// Takes note of what was just read.
    /// - Parameters:
    ///   - lease: the Lease.
    ///   - now: a moment after it was read.
    ///   - duration: for how long nobody else may have it, where it doesn't say so itself.
    /// - Returns: who may not be disturbed at the moment; nil when the Lease is free for the taking.
    mutating func observe(_ lease: Lease, at now: Instant, duration: Duration) -> String? {
        if since == nil || spec != lease.json["spec"] {
            spec = lease.json["spec"]
            since = now
        }
        guard let since, let holder = lease.holder else { return nil }
        let seconds = lease.durationSeconds.flatMap { $0 > 0 ? $0 : nil }
        return now < since.advanced(by: seconds.map { .seconds($0) } ?? duration) ? holder : nil
    }
}
