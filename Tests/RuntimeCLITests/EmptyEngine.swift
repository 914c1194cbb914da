import Foundation
import TestSupport

/// An engine on which there is nothing: it answers what a runner asks before it starts anything, and keeps its events open.
final class EmptyEngine: Sendable {
    private let listener: SilentSocket

    init(path: String) throws {
        listener = try SilentSocket(path: path)
        let descriptor = listener.descriptor
        // Both kinds of threads end with the socket or the client.
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { Self.serve(connection) }
            }
        }
    }

    /// Ends it; whoever is connected is cut off only by the end of the process.
    func stop() { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    private static func serve(_ connection: Int32) {
        defer { close(connection) }
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            request += buffer[..<count]
            let text = String(decoding: request, as: UTF8.self)
            guard text.hasSuffix("\r\n\r\n") else { continue }
            request = []
            let target = text.split(separator: " ").dropFirst().first ?? ""
            let path = target.prefix { $0 != "?" }
            // Headers alone: the stream stays open, with nothing to tell.
            let response =
                path.hasSuffix("/events")
                ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : answer(String(path))
            guard send(connection, response, response.utf8.count, Int32(MSG_NOSIGNAL)) == response.utf8.count else {
                return
            }
        }
    }

    private static func answer(_ path: String) -> String {
        let version = #"{"ApiVersion":"1.41","MinAPIVersion":"1.12","Version":"20.10.24","Arch":"amd64","Os":"linux"}"#
        let answers = [
            ("/_ping", "OK"), ("/version", version), ("/containers/json", "[]"), ("/networks", "[]"),
            ("/images/json", "[]"),
            ("/volumes", #"{"Volumes":[],"Warnings":[]}"#),
        ]
        let body = answers.first { path.hasSuffix($0.0) }?.1
        let status = body == nil ? "404 Not Found" : "200 OK"
        let text = body ?? #"{"message":"there is nothing"}"#
        return
            "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)"
    }
}
