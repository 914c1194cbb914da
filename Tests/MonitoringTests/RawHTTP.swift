import Foundation
import Util

/// Bytes over a TCP connection of our own, so that no client library repairs what the server says.
struct RawHTTP: Sendable {
    struct Failure: Error { let call: String, number: Int32 }

    let port: Int
    let executor: BlockingExecutor

    init(port: Int) throws {
        self.port = port
        executor = try BlockingExecutor(name: "raw-http", threads: 4)
    }

    /// What the server answers until it closes the connection.
    func exchange(_ request: String) async throws -> String {
        try await executor.blocking { [port] in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw Failure(call: "socket", number: errno) }
            defer { close(descriptor) }
            var limit = timeval(tv_sec: 20, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var address = loopback(port: port)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else { throw Failure(call: "connect", number: errno) }
            // The server may have closed by now, which is an answer too.
            let bytes = Array(request.utf8)
            _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 16_384)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                if count < 0, errno != ECONNRESET { throw Failure(call: "recv", number: errno) }
                guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
                answer += buffer[..<count]
            }
        }
    }

    /// Status line, headers and body of a request without body.
    func request(_ method: String, _ path: String) async throws -> (status: String, head: String, body: String) {
        let answer = try await exchange("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        let end = answer.range(of: "\r\n\r\n")
        let head = String(answer[..<(end?.lowerBound ?? answer.endIndex)])
        let status = head.components(separatedBy: "\r\n").first ?? ""
        return (status, head.lowercased(), String(answer[(end?.upperBound ?? answer.endIndex)...]))
    }
}

func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}
