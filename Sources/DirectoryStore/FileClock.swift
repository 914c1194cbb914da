import Glibc

/// The two clocks that a reading of files needs.
struct FileClock: Sendable {
    /// Nanoseconds since 1970: what files' times are told in.
    var wall: @Sendable () -> Int64
    /// One that never jumps: how long something has been missing.
    var steady: @Sendable () -> ContinuousClock.Instant

    /// The system's.
    static let system = FileClock(
        wall: {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return FileState.nanoseconds(now)
        },
        steady: { ContinuousClock.now }
    )
}

/// What of a file tells whether it is being written.
struct FileState: Equatable {
    /// How long a file must have been left alone before it counts as written, in nanoseconds; shorter than the change source's
    /// quiet time, so that its wakes read settled files.
    static let settling: Int64 = 150_000_000

    let size: Int64
    /// Nanoseconds since 1970.
    let modified: Int64

    init(_ status: stat) {
        size = Int64(status.st_size)
        modified = Self.nanoseconds(status.st_mtim)
    }

    /// Whether it was written just now. A time in the future, as a wrong clock or an unpacked archive leaves it, says nothing.
    func isBeingWritten(at now: Int64) -> Bool {
        let age = now.subtractingReportingOverflow(modified)
        return !age.overflow && age.partialValue >= 0 && age.partialValue < Self.settling
    }

    static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
