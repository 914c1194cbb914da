import Glibc

/// A value that one thread works with at a time, for as long as reading and writing files takes.
///
/// A POSIX mutex rather than `Mutex`: threads often wait for one another here, and the thread sanitizer doesn't see how
/// `Mutex` (Swift 6.3, Linux) hands over to those that wait, so it takes what is locked for a race.
///
/// Safety: the value is only touched between lock and unlock; the mutex lives at a stable address as long as this does.
final class DiskLock<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: sending Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result, Failure>(
        _ body: (inout Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
