/// How leadership is timed. The default is client-go's.
public struct LeaseTiming: Sendable, Hashable {
    /// How long after it was seen to change a Lease is left alone by the others.
    public let duration: Duration
    /// How long after its last renewal a leader gives up and stops its work.
    public let renewDeadline: Duration
    /// How long it is between two attempts, to get the Lease or to renew it.
    public let retryPeriod: Duration

    /// 15 seconds, 10 seconds, 2 seconds.
    public static let standard = LeaseTiming(valid: .seconds(15), .seconds(10), .seconds(2))

    /// A timing.
    /// - Parameters:
    ///   - duration: how long a Lease is left alone by the others; a second or more, in whole seconds.
    ///   - renewDeadline: how long after its last renewal a leader gives up; shorter than `duration`, for the difference is
    ///     what its work has to end in.
    ///   - retryPeriod: how long it is between two attempts; at least two have to fit into `renewDeadline`.
    /// - Throws: ``K8sError`` with code `setting`.
    public init(duration: Duration, renewDeadline: Duration, retryPeriod: Duration) throws(K8sError) {
        guard duration >= .seconds(1), duration.components.attoseconds == 0, duration > renewDeadline,
            retryPeriod > .zero, retryPeriod * 2 <= renewDeadline
        else {
            throw K8sError(
                .setting,
                "leadership: a Lease of \(duration), renewed within \(renewDeadline) and tried every \(retryPeriod); allowed are "
                    + "whole seconds for the Lease, a shorter time to renew it, and at most half of that between attempts"
            )
        }
        self.init(valid: duration, renewDeadline, retryPeriod)
    }

    private init(valid duration: Duration, _ renewDeadline: Duration, _ retryPeriod: Duration) {
        self.duration = duration
        self.renewDeadline = renewDeadline
        self.retryPeriod = retryPeriod
    }

    /// The Lease's own field.
    var durationSeconds: Int { Int(duration.components.seconds) }
}
