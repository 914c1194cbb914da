import Foundation
import TestSupport

/// A socket on which connections are taken by the kernel and never answered: an engine that hangs, or a port that is taken.
final class SilentSocket: Sendable {
    let descriptor: Int32

    /// On a Unix socket.
    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        try withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard path.utf8.count < buffer.count else { throw FixtureError("\(path) is too long for a socket") }
            buffer.copyBytes(from: path.utf8)
        }
        try Self.listen(descriptor, &address, path)
    }

    /// On a port of 127.0.0.1.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        try Self.listen(descriptor, &address, "port \(port)")
    }

    deinit { close(descriptor) }

    private static func listen<Address>(_ descriptor: Int32, _ address: inout Address, _ name: String) throws {
        let size = socklen_t(MemoryLayout<Address>.size)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0, Glibc.listen(descriptor, 64) == 0 else {
            throw FixtureError("can't listen on \(name): \(String(cString: strerror(errno)))")
        }
    }
}
