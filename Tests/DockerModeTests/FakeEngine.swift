import Model
import Synchronization

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a fake engine was asked.
struct FakeRequest: Sendable {
    let method: String
    /// Without the version.
    let path: String
    let query: String
    let body: [UInt8]

    var line: String { "\(method) \(path)" }
}

/// What a fake engine does about it.
enum FakeAnswer: Sendable {
    case json(Int, String)
    /// Raw bytes, then the connection is closed.
    case raw(String)
    /// Says nothing until the client goes away.
    case hang
    /// A chunked answer that isn't ended: pieces, then silence (or the end, when it is to be closed).
    case stream([String], closes: Bool)
    /// The same of any bytes; nil pieces: the connection breaks.
    case bytes([[UInt8]?], closes: Bool)
    /// A whole answer with a `Date`.
    case dated(String, [UInt8])
    case closes

    static func ok(_ text: String = "") -> FakeAnswer { .json(200, text) }
    static let none = FakeAnswer.json(204, "")
}

/// No engine: a server on a unix socket that answers as a test says. Versions are answered by itself.
final class FakeEngine: Sendable {
    let path: String
    private let listener: Int32
    private let handler: @Sendable (FakeRequest, _ number: Int) -> FakeAnswer
    /// How many bytes of streams were sent, and how often the client took none for 200 ms.
    let sent = Mutex(0)
    let stalls = Mutex(0)
    private let state = Mutex<(requests: [FakeRequest], version: String)>(([], "1.41"))

    init(_ handler: @escaping @Sendable (FakeRequest, Int) -> FakeAnswer) throws {
        self.handler = handler
        path = "/tmp/the0-fake-\(getpid())-\(UInt64.random(in: 0...UInt64.max)).sock"
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in bytes.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 64) == 0 else { throw FakeFailure() }
        let thread = FakeThread { [self] in accept() }
        thread.start()
    }

    struct FakeFailure: Error {}

    /// The requests so far, except those for the version.
    var requests: [FakeRequest] { state.withLock { $0.requests } }
    var lines: [String] { requests.map(\.line) }
    /// The version it claims to have.
    func become(_ version: String) { state.withLock { $0.version = version } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        unlink(path)
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            FakeThread { [self] in
                serve(connection)
                close(connection)
            }.start()
        }
    }

    private func serve(_ connection: Int32) {
        var buffer: [UInt8] = []
        while let request = read(connection, &buffer) {
            let version = state.withLock { $0.version }
            let answer: FakeAnswer
            if request.path == "/version" {
                answer = .json(200, #"{"ApiVersion":"\#(version)","MinAPIVersion":"1.24","Version":"fake"}"#)
            } else {
                let number = state.withLock { state in
                    state.requests.append(request)
                    return state.requests.count { $0.line == request.line }
                }
                answer = handler(request, number)
            }
            switch answer {
            case .json(let status, let text):
                let head =
                    "HTTP/1.1 \(status) x\r\nApi-Version: \(version)\r\nContent-Type: application/json\r\n"
                    + (status == 204 ? "\r\n" : "Content-Length: \(text.utf8.count)\r\n\r\n")
                guard write(connection, head + (status == 204 ? "" : text)) else { return }
            case .raw(let text):
                _ = write(connection, text)
                return
            case .hang:
                waitForEnd(connection)
                return
            case .closes:
                return
            case .stream(let pieces, let closes):
                _ = write(connection, "HTTP/1.1 200 x\r\nApi-Version: \(version)\r\nTransfer-Encoding: chunked\r\n\r\n")
                for piece in pieces {
                    _ = write(connection, String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n")
                }
                if closes { _ = write(connection, "0\r\n\r\n") } else { waitForEnd(connection) }
                return
            case .dated(let date, let body):
                let head = "HTTP/1.1 200 x\r\nDate: \(date)\r\nContent-Length: \(body.count)\r\n\r\n"
                guard write(connection, Array(head.utf8) + body) else { return }
            case .bytes(let pieces, let closes):
                _ = write(connection, "HTTP/1.1 200 x\r\nApi-Version: \(version)\r\nTransfer-Encoding: chunked\r\n\r\n")
                for piece in pieces {
                    guard let piece else { return }
                    let chunk = Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + Array("\r\n".utf8)
                    guard write(connection, chunk) else { return }
                    sent.withLock { $0 += piece.count }
                }
                if closes { _ = write(connection, "0\r\n\r\n") } else { waitForEnd(connection) }
                return
            }
        }
    }

    private func read(_ connection: Int32, _ buffer: inout [UInt8]) -> FakeRequest? {
        func fill() -> Bool {
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return false }
            buffer += chunk[..<count]
            return true
        }
        var end: Int?
        while end == nil {
            end = buffer.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
            if end == nil, !fill() { return nil }
        }
        let head = String(decoding: buffer[..<(end ?? 0)], as: UTF8.self)
        buffer.removeFirst(end ?? 0)
        let fields = head.split(separator: "\r\n")
        let length =
            fields.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.drop { $0 != ":" }.dropFirst().filter { $0 != " " }) } ?? 0
        while buffer.count < length { guard fill() else { return nil } }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        let words = fields.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let target = words[1].split(separator: "?", maxSplits: 1)
        var path = String(target.first ?? "")
        if path.hasPrefix("/v1.") { path = String(path.dropFirst(1).drop { $0 != "/" }) }
        return FakeRequest(
            method: String(words[0]),
            path: path,
            query: target.count > 1 ? String(target[1]) : "",
            body: body
        )
    }

    private func write(_ connection: Int32, _ text: String) -> Bool {
        write(connection, Array(text.utf8))
    }

    private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            var socket = pollfd(fd: connection, events: Int16(POLLOUT), revents: 0)
            while poll(&socket, 1, 200) == 0 { stalls.withLock { $0 += 1 } }
            let count = bytes[offset...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }

    private func waitForEnd(_ connection: Int32) {
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
    }
}

/// A thread that ends by itself.
private final class FakeThread: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&thread, nil, runFakeThread, context)
        pthread_detach(thread)
    }

    func run() { body() }
}

private func runFakeThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<FakeThread>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}
