import CLinux
import Glibc
import Synchronization

/// Tells of changes in folders (inotify) and of processes' ends (pidfd), on one thread that sleeps while nothing happens.
///
/// Safety: everything that changes is behind the mutex; the descriptors are closed by the thread, as the last it does.
final class SystemEvents: Sendable {
    /// What somebody wants to hear of.
    enum Subject: Sendable, Hashable {
        /// A folder, and which of inotify's events.
        case folder(String, mask: UInt32)
        /// A process's end.
        case process(ProcessIdentity)
    }

    private let loop: EventThread

    /// - Throws: ``LocalError`` when the system gives no descriptor or thread.
    init() throws(LocalError) {
        loop = try EventThread()
        try loop.start()
    }

    deinit { loop.stop() }

    /// Hears of some subjects until the subscription's last reference goes.
    /// - Parameter body: called on the thread, so it must be short; spurious calls are possible.
    /// - Throws: ``LocalError`` when one can't be watched. A process that is gone already, or a folder, is told of at once.
    func subscribe(
        _ subjects: [Subject],
        _ body: @escaping @Sendable () -> Void
    ) throws(LocalError) -> Subscription {
        let subscription = Subscription(loop)
        for subject in subjects {
            guard try loop.add(subject, subscription.id, body) else {
                body()
                continue
            }
        }
        return subscription
    }

    final class Subscription: Sendable {
        fileprivate let id: UInt64
        private let loop: EventThread

        fileprivate init(_ loop: EventThread) {
            self.loop = loop
            id = loop.nextID()
        }

        deinit { loop.remove(id) }
    }
}

private final class EventThread: Sendable {
    private struct Listener {
        let mask: UInt32
        let body: @Sendable () -> Void
    }
    private struct Process {
        let id: UInt64
        let descriptor: Int32
        let body: @Sendable () -> Void
    }
    private struct State {
        var nextID: UInt64 = 0
        var isStopped = false
        /// By inotify's number of the watch.
        var watches: [Int32: [UInt64: Listener]] = [:]
        /// By a number of their own: a descriptor's may belong to another by the time its event is looked at.
        var processes: [UInt64: Process] = [:]
    }

    private let epoll: Int32
    private let inotify: Int32
    private let bell: Int32
    private let state = Mutex(State())

    init() throws(LocalError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        inotify = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard epoll >= 0, inotify >= 0, bell >= 0, watch(inotify, as: Self.changes), watch(bell, as: Self.ring) else {
            let number = errno
            for descriptor in [epoll, inotify, bell] where descriptor >= 0 { close(descriptor) }
            throw LocalError(.exhausted, "no descriptors for watching: \(String(cString: strerror(number)))")
        }
    }

    private static let changes: UInt64 = .max
    private static let ring: UInt64 = .max - 1

    private func watch(_ descriptor: Int32, as number: UInt64) -> Bool {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = number
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    func start() throws(LocalError) {
        let box = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, runEventThread, box.toOpaque())
        guard result == 0 else {
            box.release()
            closeAll()
            throw LocalError(.exhausted, "no thread for watching: \(String(cString: strerror(result)))")
        }
        pthread_detach(thread)
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        eventfd_write(bell, 1)
    }

    func nextID() -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    /// - Returns: whether it is there to be watched.
    func add(
        _ subject: SystemEvents.Subject,
        _ id: UInt64,
        _ body: @escaping @Sendable () -> Void
    ) throws(LocalError) -> Bool {
        switch subject {
        case .folder(let path, let mask):
            let number = state.withLock { state in
                let watch = inotify_add_watch(inotify, path, mask | UInt32(IN_ONLYDIR) | UInt32(IN_MASK_ADD))
                guard watch >= 0 else { return errno }
                state.watches[watch, default: [:]][id] = Listener(mask: mask, body: body)
                return 0
            }
            if number == ENOENT { return false }
            guard number == 0 else { throw .system("can't watch", path, number) }
        case .process(let identity):
            guard let descriptor = identity.open() else { return false }
            let isWatched = state.withLock { state in
                state.nextID += 1
                guard watch(descriptor, as: state.nextID) else { return false }
                state.processes[state.nextID] = Process(id: id, descriptor: descriptor, body: body)
                return true
            }
            guard isWatched else {
                let number = errno
                close(descriptor)
                throw .system("can't watch process", "\(identity.pid)", number)
            }
        }
        return true
    }

    func remove(_ id: UInt64) {
        state.withLock { state in
            for (watch, listeners) in state.watches where listeners[id] != nil {
                state.watches[watch]?[id] = nil
                if state.watches[watch]?.isEmpty == true {
                    state.watches[watch] = nil
                    inotify_rm_watch(inotify, watch)
                }
            }
            for (number, process) in state.processes where process.id == id {
                state.processes[number] = nil
                close(process.descriptor)
            }
        }
    }

    func run() {
        var signals = sigset_t()
        sigfillset(&signals)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while !state.withLock({ $0.isStopped }) {
            let count = epoll_wait(epoll, &events, Int32(events.count), -1)
            guard count > 0 else { continue }
            var bodies: [@Sendable () -> Void] = []
            for event in events[..<Int(count)] {
                switch event.data.u64 {
                case Self.changes: bodies += takeChanges()
                case Self.ring: break
                case let number: bodies += takeEnd(number)
                }
            }
            // Outside the lock: they may subscribe to something else.
            for body in bodies { body() }
        }
        closeAll()
    }

    private func takeEnd(_ number: UInt64) -> [@Sendable () -> Void] {
        state.withLock { state in
            guard let process = state.processes.removeValue(forKey: number) else { return [] }
            close(process.descriptor)
            return [process.body]
        }
    }

    private func takeChanges() -> [@Sendable () -> Void] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(inotify, &buffer, buffer.count)
        guard count > 0 else { return [] }
        return state.withLock { state in
            var called: Set<UInt64> = []
            var bodies: [@Sendable () -> Void] = []
            func call(_ listeners: [UInt64: Listener], _ mask: UInt32) {
                for (id, listener) in listeners where mask & listener.mask != 0 && called.insert(id).inserted {
                    bodies.append(listener.body)
                }
            }
            var offset = 0
            while offset + EventThread.header <= count {
                let (watch, mask, length) = buffer[offset...].withUnsafeBytes { bytes in
                    (
                        bytes.loadUnaligned(fromByteOffset: 0, as: Int32.self),
                        bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                        bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
                    )
                }
                offset += EventThread.header + Int(length)
                if mask & UInt32(IN_Q_OVERFLOW) != 0 {
                    // Whatever was lost may have been anybody's.
                    for listeners in state.watches.values { call(listeners, .max) }
                } else if mask & UInt32(IN_IGNORED) != 0 {
                    if let listeners = state.watches.removeValue(forKey: watch) { call(listeners, .max) }
                } else {
                    call(state.watches[watch] ?? [:], mask)
                }
            }
            return bodies
        }
    }

    /// `struct inotify_event` without its name.
    private static let header = 16

    private func closeAll() {
        state.withLock { state in
            for process in state.processes.values { close(process.descriptor) }
            state.processes = [:]
            state.watches = [:]
        }
        for descriptor in [epoll, inotify, bell] { close(descriptor) }
    }
}

private func runEventThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<EventThread>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
