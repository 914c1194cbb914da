import Foundation
import TestSupport

/// Enough of HTTP/1.1 for one program that asks an engine: requests without a body, a thread for each connection.
final class FakeEngineServer: Sendable {
    private let listener: Int32
    private let answers: FakeEngineAnswers

    init(socket path: String, answers: FakeEngineAnswers) throws {
        self.answers = answers
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { buffer in
            guard path.utf8.count < buffer.count else { return false }
            buffer.copyBytes(from: path.utf8)
            return true
        }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard listener >= 0, fits, bound == 0, listen(listener, 64) == 0 else {
            throw FixtureError("can't listen on \(path): errno \(errno)")
        }
    }

    /// Serves until the process is ended.
    func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            Thread.detachNewThread { [answers] in Self.serve(connection, answers) }
        }
    }

    private static func serve(_ connection: Int32, _ answers: FakeEngineAnswers) {
        var request = ""
        var buffer = [UInt8](repeating: 0, count: 16_384)
        // A stream on which nothing happens needs no thread: it is held open until this process ends.
        var isHeld = false
        defer { if !isHeld { close(connection) } }
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            request += String(decoding: buffer[..<count], as: UTF8.self)
            guard request.hasSuffix("\r\n\r\n") else { continue }
            let words = request.prefix { $0 != "\r\n" }.split(separator: " ")
            request = ""
            guard words.count >= 2 else { return }
            let target = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            var path = target[0]
            if path.hasPrefix("/v1.") { path = path.dropFirst(1).drop { $0 != "/" } }
            let query = target.count > 1 ? target[1] : ""
            guard path == "/events" || path.hasSuffix("/logs") else {
                let body = answers.answer(method: words[0], path: path, query: query)
                guard sendAll(connection, response(body)) else { return }
                continue
            }
            isHeld = path == "/events" || query.contains("follow=1")
            let head = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
            let length = isHeld ? "Transfer-Encoding: chunked" : "Content-Length: 0"
            guard sendAll(connection, "\(head)\(length)\r\n\r\n"), !isHeld else { return }
        }
    }

    private static func response(_ body: String?) -> String {
        let text = body ?? #"{"message":"there is nothing of this in the recorded fake"}"#
        let status = body == nil ? "404 Not Found" : "200 OK"
        let head = "HTTP/1.1 \(status)\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"
        return head + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)"
    }

    private static func sendAll(_ connection: Int32, _ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var sent = 0
            while sent < bytes.count {
                let rest = bytes.baseAddress?.advanced(by: sent)
                let count = send(connection, rest, bytes.count - sent, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }
}
