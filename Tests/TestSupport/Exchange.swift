import Dispatch
import Foundation

/// Where a fixture's service listens.
enum Listener: Sendable {
    case port(UInt16)
    case unixSocket(String)
}

/// Calls the body with the address of a port of 127.0.0.1.
func withLoopback<Result>(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

private func withUnixAddress<Result>(
    _ path: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
        guard path.utf8.count < buffer.count else { return false }
        buffer.copyBytes(from: path.utf8)
        return true
    }
    guard fits else { return nil }
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// Sends a few bytes to a service and returns the first bytes of its answer; nil when it does not answer in a second.
///
/// Enough to know that a service is there, without the clients that are being tested.
func exchange(_ listener: Listener, _ request: [UInt8]) async -> [UInt8]? {
    await withCheckedContinuation { continuation in
        // A hung service blocks: not a thread of the cooperative pool.
        DispatchQueue.global().async { continuation.resume(returning: blockingExchange(listener, request)) }
    }
}

private func blockingExchange(_ listener: Listener, _ request: [UInt8]) -> [UInt8]? {
    let family = if case .port = listener { AF_INET } else { AF_UNIX }
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var second = timeval(tv_sec: 1, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &second, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &second, size)
    let connected: Int32? =
        switch listener {
        case .port(let port): withLoopback(port) { connect(descriptor, $0, $1) }
        case .unixSocket(let path): withUnixAddress(path) { connect(descriptor, $0, $1) }
        }
    guard connected == 0 else { return nil }
    guard request.isEmpty || send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
        return nil
    }
    var answer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &answer, answer.count, 0)
    return count > 0 ? Array(answer[..<count]) : nil
}

/// Whether an HTTP service answers a path with 200.
func answersHTTP(_ listener: Listener, path: String) async -> Bool {
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    guard let answer = await exchange(listener, Array(request.utf8)) else { return false }
    return answer.starts(with: Array("HTTP/1.1 200".utf8)) || answer.starts(with: Array("HTTP/1.0 200".utf8))
}

/// Whether somebody listens on a port of 127.0.0.1.
func acceptsConnections(_ port: UInt16) async -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return withLoopback(port) { connect(descriptor, $0, $1) } == 0
}

/// Whether a Unix socket's file is all that is left of it: nobody listens.
func isAbandoned(socket path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return withUnixAddress(path) { connect(descriptor, $0, $1) == -1 && errno == ECONNREFUSED } ?? false
}
