import Dispatch
import Glibc
import Synchronization

/// Not an object store: a loopback server that answers each request with the bytes a test's script says, and then keeps the
/// connection, closes it or breaks it off.
public final class FakeS3: Sendable {
    /// What was asked.
    public struct Request: Sendable {
        /// The method.
        public let method: String
        /// Path and query.
        public let target: String
        /// Request line and header fields.
        public let head: String
        /// The body.
        public let body: [UInt8]
    }

    /// What is done about it.
    public enum Answer: Sendable {
        /// A response with its length.
        case whole(status: Int, headers: [String] = [], body: [UInt8] = [])
        /// These bytes, then an orderly end.
        case bytes([UInt8])
        /// These bytes, then a reset.
        case reset(after: [UInt8])
        /// Nothing, until the client goes.
        case silence

        /// A response of text.
        public static func text(_ status: Int, _ body: String, _ headers: [String] = []) -> Answer {
            .whole(status: status, headers: headers, body: Array(body.utf8))
        }

        /// An error as S3 says it.
        public static func error(_ status: Int, _ code: String, _ message: String = "because") -> Answer {
            .text(status, "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>")
        }

        /// An object as S3 gives one.
        public static func object(_ body: [UInt8]) -> Answer {
            .whole(status: 200, headers: ["ETag: \"\(body.count)\""], body: body)
        }
    }

    /// Host and port.
    public let endpoint: String
    private let listener: Int32
    private let seen = Mutex<[Request]>([])

    /// Starts one.
    /// - Parameter script: told how many requests came before, from 0, and the request.
    public init(_ script: @escaping @Sendable (Int, Request) -> Answer) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        struct NoListener: Error {}
        guard bound else { throw NoListener() }
        self.listener = listener
        endpoint = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                thread { self.serve(connection, script) }
            }
        }
    }

    /// Every request so far.
    public var requests: [Request] { seen.withLock { $0 } }

    /// Ends it.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32, _ script: (Int, Request) -> Answer) {
        defer { close(connection) }
        var buffer: [UInt8] = []
        while let request = read(connection, &buffer) {
            let number = seen.withLock { seen in
                seen.append(request)
                return seen.count - 1
            }
            switch script(number, request) {
            case .whole(let status, let headers, let body):
                var head = "HTTP/1.1 \(status) Whatever\r\n"
                for header in headers + ["Content-Length: \(body.count)"] { head += header + "\r\n" }
                send(connection, Array((head + "\r\n").utf8) + (request.method == "HEAD" ? [] : body))
            case .bytes(let bytes):
                send(connection, bytes)
                return
            case .reset(let bytes):
                send(connection, bytes)
                // Closing with a linger time of zero sends a reset.
                var option = linger(l_onoff: 1, l_linger: 0)
                setsockopt(connection, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
                return
            case .silence:
                _ = read(connection, &buffer)
                return
            }
        }
    }

    private func read(_ connection: Int32, _ buffer: inout [UInt8]) -> Request? {
        let mark = Array("\r\n\r\n".utf8)
        while true {
            if let end = (0..<max(0, buffer.count - 3)).first(where: { buffer[$0...].starts(with: mark) }) {
                let head = String(decoding: buffer[..<end], as: UTF8.self)
                let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                    .flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) }
                buffer.removeFirst(end + 4)
                while buffer.count < length ?? 0 { guard fill(connection, &buffer) else { return nil } }
                let body = Array(buffer.prefix(length ?? 0))
                buffer.removeFirst(body.count)
                let line = head.prefix { $0 != "\r\n" }.split(separator: " ")
                guard line.count == 3 else { return nil }
                return Request(method: String(line[0]), target: String(line[1]), head: head, body: body)
            }
            guard fill(connection, &buffer) else { return nil }
        }
    }

    private func fill(_ connection: Int32, _ buffer: inout [UInt8]) -> Bool {
        var block = [UInt8](repeating: 0, count: 256 << 10)
        let count = recv(connection, &block, block.count, 0)
        guard count > 0 else { return false }
        buffer += block[..<count]
        return true
    }

    private func send(_ connection: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    private func thread(_ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "fake-s3").async(execute: body)
    }
}
