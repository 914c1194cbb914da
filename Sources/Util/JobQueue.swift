#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Jobs for a bounded number of threads, which are started as they are needed and wait here for work.
///
/// Safety: everything mutable is only touched between `lock` and `unlock`; the mutex and the condition live at stable
/// addresses until the last thread has let go of the queue.
final class JobQueue: @unchecked Sendable {
    private struct Entry {
        let job: UnownedJob
        /// Keeps the executor while it has work.
        let executor: BlockingExecutor
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let name: String
    private let maximumThreads: Int

    private var entries: [Entry] = []
    /// Where the oldest entry is: taking from the front of an array moves all others.
    private var head = 0
    private var threads = 0
    private var idleThreads = 0
    private var isClosed = false

    init(name: String, maximumThreads: Int) {
        self.name = name
        self.maximumThreads = maximumThreads
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeUp, nil)
    }

    deinit {
        pthread_cond_destroy(wakeUp)
        pthread_mutex_destroy(mutex)
        wakeUp.deallocate()
        mutex.deallocate()
    }

    func add(_ job: UnownedJob, executor: BlockingExecutor) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        entries.append(Entry(job: job, executor: executor))
        if entries.count - head > idleThreads, threads < maximumThreads {
            // Where the system refuses, the job waits for the threads there are: at least the first one.
            _ = startThread()
        }
        pthread_cond_signal(wakeUp)
    }

    /// Starts the first thread; the error number where the system refuses.
    func startFirstThread() -> Int32 {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return startThread()
    }

    /// Lets the threads end once there is nothing left to do.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(wakeUp)
        pthread_mutex_unlock(mutex)
    }

    private func startThread() -> Int32 {
        let box = Unmanaged.passRetained(self)
        // Nobody joins: the executor may be released by one of these threads.
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let error = pthread_create(&thread, &attributes, runJobs, box.toOpaque())
        if error == 0 {
            threads += 1
        } else {
            box.release()
        }
        return error
    }

    fileprivate func run() {
        nameThisThread(name)
        while let entry = next() {
            entry.job.runSynchronously(on: entry.executor.asUnownedTaskExecutor())
        }
    }

    /// The oldest job, when there is one; nil when the thread should end.
    private func next() -> Entry? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while head == entries.count {
            if isClosed {
                threads -= 1
                return nil
            }
            idleThreads += 1
            pthread_cond_wait(wakeUp, mutex)
            idleThreads -= 1
        }
        let entry = entries[head]
        head += 1
        // Once half of the array is behind the head, moving the rest costs no more than what was taken.
        if head * 2 >= entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return entry
    }
}

#if canImport(Darwin)
private func runJobs(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
#else
private func runJobs(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
#endif

/// Names the thread for debuggers and `ps -L`.
private func nameThisThread(_ name: String) {
    #if canImport(Darwin)
    pthread_setname_np(name)
    #else
    // `pthread_setname_np` is a GNU extension that Swift's module doesn't show. The kernel takes fifteen bytes; a thread
    // without its name works as well.
    guard let file = fopen("/proc/thread-self/comm", "w") else { return }
    fputs(String(decoding: name.utf8.prefix(15), as: UTF8.self), file)
    fclose(file)
    #endif
}
