import Foundation
import TestSupport
import Util

/// A connection to NATS of a few lines: what is published leaves by one `send`, so its time is known.
final class NATSPublisher {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw FixtureError("no socket: errno \(errno)") }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close(descriptor)
            throw FixtureError("NATS on port \(port) doesn't answer: errno \(errno)")
        }
        try write("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB answer 1\r\nPING\r\n")
        try wait(for: "PONG")
    }

    deinit { close(descriptor) }

    /// Publishes a message; returns once the server has it.
    /// - Returns: when it was sent.
    @discardableResult
    func publish(_ subject: String, _ payload: String) throws -> Timestamp {
        let sent = Timestamp.now
        try write("PUB \(subject) \(payload.utf8.count)\r\n\(payload)\r\nPING\r\n")
        try wait(for: "PONG")
        return sent
    }

    /// Asks JetStream's API, and waits for its answer.
    func ask(_ subject: String, _ payload: String) throws {
        try write("PUB \(subject) answer \(payload.utf8.count)\r\n\(payload)\r\n")
        let answer = try wait(for: "\"type\"")
        guard !answer.contains("\"error\"") else { throw FixtureError("\(subject): \(answer)") }
    }

    private func write(_ text: String) throws {
        guard send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count else {
            throw FixtureError("NATS takes no more: errno \(errno)")
        }
    }

    @discardableResult
    private func wait(for text: String) throws -> String {
        var answer = ""
        var buffer = [UInt8](repeating: 0, count: 8192)
        while !answer.contains(text) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw FixtureError("NATS doesn't answer with \(text): \(answer)") }
            answer += String(decoding: buffer[..<count], as: UTF8.self)
            guard !answer.contains("-ERR") else { throw FixtureError("NATS: \(answer)") }
        }
        return answer
    }
}
