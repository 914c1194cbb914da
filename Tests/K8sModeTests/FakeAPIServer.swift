import Model
import Synchronization

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a fake API server was asked.
struct FakeRequest: Sendable {
    let method: String
    let path: String
    /// Decoded.
    let query: [String: String]
    let headers: [String: String]
    let body: [UInt8]

    var line: String { "\(method) \(path)" }
    var isWatch: Bool { query["watch"] == "true" }
    var json: JSONObject? { (try? JSONValue.parse(body))?.object }
}

/// What a fake API server does about it.
enum FakeAnswer: Sendable {
    case json(Int, String, [String] = [])
    /// Raw bytes, then the connection is closed.
    case raw(String)
    /// Says nothing until the client goes away.
    case hang
    /// A chunked answer: pieces, then silence (or the end, when it is to be closed).
    case stream([String], closes: Bool)
    /// A chunked answer whose pieces come as they are sent, until the feed is closed.
    case feed(FakeFeed)
    /// A chunked answer that breaks off.
    case cut([String])
    /// The connection is reset.
    case reset

    static func ok(_ text: String) -> FakeAnswer { .json(200, text) }

    /// A refusal as API servers write it.
    static func status(_ code: Int, _ reason: String, _ message: String = "no", headers: [String] = []) -> FakeAnswer {
        .json(
            code,
            #"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"\#(message)","reason":"\#(reason)","code":\#(code)}"#,
            headers
        )
    }
}

/// No API server: a server on a port of 127.0.0.1 that answers as a test says.
final class FakeAPIServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let handler: @Sendable (FakeRequest, _ number: Int) -> FakeAnswer
    private let state = Mutex<[FakeRequest]>([])

    struct FakeFailure: Error {}

    /// - Parameter handler: told each request, and how many of its method and path have come, from 1.
    init(_ handler: @escaping @Sendable (FakeRequest, Int) -> FakeAnswer) throws {
        self.handler = handler
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard isBound, listen(listener, 128) == 0 else { throw FakeFailure() }
        FakeThread { [self] in accept() }.start()
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [FakeRequest] { state.withLock { $0 } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
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
            let number = state.withLock { requests in
                requests.append(request)
                return requests.count { $0.line == request.line && $0.isWatch == request.isWatch }
            }
            switch handler(request, number) {
            case .json(let status, let text, let headers):
                let lines =
                    ["HTTP/1.1 \(status) x", "Content-Type: application/json"] + headers
                    + ["Content-Length: \(text.utf8.count)", "", text]
                guard write(connection, lines.joined(separator: "\r\n")) else { return }
            case .raw(let text):
                _ = write(connection, text)
                return
            case .hang:
                waitForEnd(connection)
                return
            case .stream(let pieces, let closes):
                sendChunks(connection, pieces)
                if closes { _ = write(connection, "0\r\n\r\n") } else { waitForEnd(connection) }
                return
            case .feed(let feed):
                sendChunks(connection, [])
                while let piece = feed.next() {
                    guard sendChunk(connection, piece) else { return }
                }
                _ = write(connection, "0\r\n\r\n")
                return
            case .cut(let pieces):
                sendChunks(connection, pieces)
                return
            case .reset:
                var option = linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
                return
            }
        }
    }

    private func sendChunks(_ connection: Int32, _ pieces: [String]) {
        _ = write(connection, "HTTP/1.1 200 x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces {
            guard sendChunk(connection, piece) else { return }
        }
    }

    private func sendChunk(_ connection: Int32, _ piece: String) -> Bool {
        write(connection, String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n")
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
        var headers: [String: String] = [:]
        for field in fields.dropFirst() {
            let parts = field.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < length { guard fill() else { return nil } }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        let words = fields.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let target = words[1].split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in target.count > 1 ? target[1].split(separator: "&") : [] {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
        }
        return FakeRequest(
            method: String(words[0]),
            path: String(target.first ?? ""),
            query: query,
            headers: headers,
            body: body
        )
    }

    private func write(_ connection: Int32, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
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

private func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
            rest = rest.dropFirst(2)
            bytes.append(code)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
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
