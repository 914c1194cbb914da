import Dispatch
import Glibc
import HTTP
import Synchronization
import Testing

/// A body source from a closure, counting what was pulled.
struct Pulled: AsyncSequence, Sendable {
    let next: @Sendable (Int) async throws -> [UInt8]?

    /// - Parameter next: the piece of this number, nil for the end.
    init(_ next: @escaping @Sendable (Int) async throws -> [UInt8]?) {
        self.next = next
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let pull: @Sendable (Int) async throws -> [UInt8]?
        var count = 0

        mutating func next() async throws -> [UInt8]? {
            defer { count += 1 }
            return try await pull(count)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pull: next) }
}

/// Opens once.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func open() {
        let waiters = state.withLock { state in
            defer { state = (true, []) }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
        opened.signal()
    }

    /// For a server's thread.
    func waitOnThread() {
        opened.wait()
        opened.signal()
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// The error of a request that has to fail.
func failure(_ body: () async throws -> Void) async -> HTTPError? {
    do {
        try await body()
        Issue.record("expected an error")
        return nil
    } catch {
        return error as? HTTPError
    }
}

func text(_ response: HTTPResponse) async throws -> String {
    String(decoding: try await response.body.collect(upTo: 1 << 20), as: UTF8.self)
}

func request(
    _ server: ScriptedServer,
    _ method: HTTPMethod = .get,
    _ path: String = "/",
    headers: [HTTPHeader] = [],
    body: HTTPRequestBody = .none,
    deadlines: HTTPDeadlines = HTTPDeadlines()
) -> HTTPRequest {
    HTTPRequest(
        method: method,
        url: server.url + path,
        unixSocket: server.socketPath,
        headers: headers,
        body: body,
        deadlines: deadlines
    )
}

/// How many descriptors of this process lead to something whose name starts so.
func descriptors(_ prefix: String) -> Int {
    guard let folder = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        let target = [CChar](unsafeUninitializedCapacity: 255) { bytes, count in
            guard let start = bytes.baseAddress else { return }
            count = max(readlink("/proc/self/fd/\(name)", start, bytes.count), 0)
        }
        if String(decoding: target.map(UInt8.init(bitPattern:)), as: UTF8.self).hasPrefix(prefix) { count += 1 }
    }
    return count
}
