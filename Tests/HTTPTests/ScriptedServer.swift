import Dispatch
import Glibc
import Synchronization

/// A loopback server that does on each connection exactly what a test's script says, one thread per connection.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (ServerConnection) -> Void

    private struct State {
        var connections = 0
        var open: Set<Int32> = []
        var isStopped = false
    }
    private let listener: Int32
    private let threads = DispatchGroup()
    private let state = Mutex(State())
    /// `http://host:port`, without a final slash.
    let url: String
    let socketPath: String?

    init(unix: Bool = false, backlog: Int32 = 1024, _ script: @escaping Script) {
        if unix {
            let path = "/tmp/http-test-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
            listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            withUnixAddress(path) { [listener] address, length in precondition(bind(listener, address, length) == 0) }
            socketPath = path
            url = "http://localhost"
        } else {
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            socketPath = nil
            url = "http://127.0.0.1:\(bindToFreePort(listener))"
        }
        precondition(listen(listener, backlog) == 0)
        inThread(threads) { [self] in accept(script) }
    }

    /// How many connections have come in so far.
    var connections: Int { state.withLock { $0.connections } }

    /// Breaks all connections off and waits for the threads.
    func stop() {
        let open: Set<Int32>? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.isStopped = true
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return state.open
        }
        guard open != nil else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        threads.wait()
        close(listener)
        if let socketPath { unlink(socketPath) }
    }

    private func accept(_ script: @escaping Script) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            let isWelcome = state.withLock { state in
                guard !state.isStopped else { return false }
                state.connections += 1
                state.open.insert(descriptor)
                return true
            }
            guard isWelcome else {
                close(descriptor)
                return
            }
            inThread(threads) { [self] in
                script(ServerConnection(descriptor))
                state.withLock { state in
                    state.open.remove(descriptor)
                    close(descriptor)
                }
            }
        }
    }
}

/// Runs a test against a server and a client of its own, and ends both.
func withServer<R>(
    unix: Bool = false,
    backlog: Int32 = 1024,
    _ script: @escaping ScriptedServer.Script,
    _ body: (ScriptedServer) async throws -> R
) async throws -> R {
    let server = ScriptedServer(unix: unix, backlog: backlog, script)
    defer { server.stop() }
    return try await body(server)
}

/// One accepted connection; used by its script's thread only.
final class ServerConnection {
    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    struct Request {
        var head: String
        var body: [UInt8]

        var line: String { String(head.prefix { $0 != "\r\n" }) }

        func header(_ name: String) -> String? {
            for line in head.split(separator: "\r\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return String(parts[1].drop { $0 == " " })
                }
            }
            return nil
        }
    }

    /// The next request with its whole body; nil when the client has closed.
    func readRequest() -> Request? {
        guard var request = readHead() else { return nil }
        if let length = request.header("Content-Length").flatMap({ Int($0) }) {
            guard let body = read(length) else { return nil }
            request.body = body
        } else if request.header("Transfer-Encoding") == "chunked" {
            while true {
                guard let chunk = readChunk() else { return nil }
                if chunk.isEmpty { break }
                request.body += chunk
            }
        }
        return request
    }

    /// The next request's head; what follows isn't read.
    func readHead() -> Request? {
        var lines: [String] = []
        while let line = readLine() {
            if line.isEmpty { return Request(head: lines.joined(separator: "\r\n"), body: []) }
            lines.append(line)
        }
        return nil
    }

    /// Exactly `count` bytes; nil when the client closes before.
    func read(_ count: Int) -> [UInt8]? {
        while buffer.count < count { guard fill() else { return nil } }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    /// Drops what was received beyond the last head.
    fileprivate func takeBuffered() -> Int {
        defer { buffer = [] }
        return buffer.count
    }

    fileprivate func readLine() -> String? {
        while true {
            if let end = buffer.firstIndex(of: 10) {
                defer { buffer.removeFirst(end + 1) }
                return String(decoding: buffer[..<end].filter { $0 != 13 }, as: UTF8.self)
            }
            guard fill() else { return nil }
        }
    }

    private func fill() -> Bool {
        let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { bytes, count in
            count = max(recv(descriptor, bytes.baseAddress, bytes.count, 0), 0)
        }
        buffer += chunk
        return !chunk.isEmpty
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Sends everything; false when the client has gone.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    /// Answers a request with a body of known length.
    @discardableResult
    func answer(_ body: String = "", status: String = "200 OK", headers: [String] = []) -> Bool {
        let lines = ["HTTP/1.1 \(status)"] + headers + ["Content-Length: \(body.utf8.count)", "", body]
        return send(lines.joined(separator: "\r\n"))
    }

    /// Does nothing more until the client closes.
    func waitForClose() {
        while fill() { buffer = [] }
    }

    /// Makes the coming close a reset (RST).
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

/// Binds to a free port of 127.0.0.1 and returns it.
func bindToFreePort(_ descriptor: Int32) -> UInt16 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            precondition(bind(descriptor, generic, length) == 0)
            precondition(getsockname(descriptor, generic, &length) == 0)
        }
    }
    return UInt16(bigEndian: address.sin_port)
}

private func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

private final class ThreadBody {
    let group: DispatchGroup
    let body: @Sendable () -> Void

    init(_ group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
        self.group = group
        self.body = body
    }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let thread = Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue()
    thread.body()
    thread.group.leave()
    return nil
}

private func inThread(_ group: DispatchGroup, _ body: @escaping @Sendable () -> Void) {
    group.enter()
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ThreadBody(group, body)).toOpaque()
    precondition(pthread_create(&thread, nil, runThread, context) == 0)
    pthread_detach(thread)
}

extension ServerConnection {
    /// Whether the client hasn't closed; reads nothing.
    var isOpen: Bool {
        // POLLRDHUP, which needs _GNU_SOURCE.
        let peerClosed: Int32 = 0x2000
        var descriptors = [pollfd(fd: descriptor, events: Int16(peerClosed), revents: 0)]
        poll(&descriptors, 1, 20)
        return descriptors[0].revents & Int16(peerClosed | POLLHUP | POLLERR) == 0
    }

    /// Paces what the server does, on its own thread.
    func pause(milliseconds: Int32) {
        poll(nil, 0, milliseconds)
    }
}

/// A unix socket whose listener accepts nobody and whose queue is full, and what ends it.
func fullUnixListener() -> (path: String, end: () -> Void) {
    let path = "/tmp/http-test-full-\(getpid())-\(UInt64.random(in: 0 ... .max)).sock"
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    withUnixAddress(path) { address, length in precondition(bind(listener, address, length) == 0) }
    precondition(listen(listener, 0) == 0)
    var clients: [Int32] = []
    while true {
        let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        clients.append(client)
        var result: Int32 = 0
        withUnixAddress(path) { address, length in result = connect(client, address, length) }
        if result != 0 { break }
    }
    return (
        path,
        { [clients] in
            for descriptor in clients + [listener] { close(descriptor) }
            unlink(path)
        }
    )
}

extension ServerConnection {
    /// Reads up to `count` bytes of a body without keeping them; returns how many came before the client closed.
    func discard(_ count: Int, each: (Int) -> Void = { _ in }) -> Int {
        var scratch = [UInt8](repeating: 0, count: 65_536)
        var total = min(takeBuffered(), count)
        each(total)
        while total < count {
            let received = recv(descriptor, &scratch, min(scratch.count, count - total), 0)
            guard received > 0 else { break }
            total += received
            each(total)
        }
        return total
    }
}

extension ServerConnection {
    /// The next chunk of a chunked body, empty for the last one; nil when the client has closed.
    func readChunk() -> [UInt8]? {
        guard let line = readLine(), let size = Int(line, radix: 16), let chunk = read(size), readLine() == "" else {
            return nil
        }
        return chunk
    }

    /// Reads a chunked body without keeping it; returns its size.
    func discardChunked(each: (Int) -> Void) -> Int {
        var total = 0
        while let chunk = readChunk(), !chunk.isEmpty {
            total += chunk.count
            each(total)
        }
        return total
    }
}
