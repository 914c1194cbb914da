import Foundation
import Synchronization

private let given = Mutex<Set<UInt16>>([])

/// A TCP port of 127.0.0.1 that nobody listens on, and that this process has not been given before.
///
/// It lies below the range from which the kernel takes ports for outgoing connections, so that it is still free later.
/// - Throws: `FixtureError` when none was found.
public func freePort() throws -> UInt16 {
    for _ in 0..<1000 {
        let port = UInt16.random(in: 15_000..<32_000)
        if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
    }
    throw FixtureError("no free port between 15000 and 32000")
}

private func isFree(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return withLoopback(port) { bind(descriptor, $0, $1) == 0 }
}
