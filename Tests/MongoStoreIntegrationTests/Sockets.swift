import Foundation
import Testing

/// A server that answers everything with something else.
final class GarbageServer: Sendable {
    let port: Int
    private let socket: Int32

    init() throws {
        let socket = try boundSocket()
        try #require(listen(socket, 16) == 0)
        self.socket = socket
        port = portNumber(of: socket)
        Thread.detachNewThread {
            while case let client = accept(socket, nil, nil), client >= 0 {
                let answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
                _ = answer.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
                close(client)
            }
            close(socket)
        }
    }

    func stop() { shutdown(socket, Int32(SHUT_RDWR)) }
}

private func portNumber(of socket: Int32) -> Int {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}

private func boundSocket() throws -> Int32 {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let bound = withAddress(port: 0) { bind(socket, $0, $1) }
    try #require(bound == 0)
    return socket
}

private func withAddress(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
