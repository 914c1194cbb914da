import Util

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// An address to listen on, in Go's form: "host:port", ":port" for every address of the machine, "[::1]:port".
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address without brackets; empty for every address of the machine.
    public let host: String
    /// 0 lets the system choose.
    public let port: Int

    /// Reads an address.
    ///
    /// - Throws: ``MonitoringError`` with code `invalidAddress`, naming the text and what is allowed.
    public init(_ text: String) throws(MonitoringError) {
        guard let colon = text.unicodeScalars.lastIndex(of: ":") else {
            throw Self.invalid(text, "it lacks a port")
        }
        let portText = text[text.index(after: colon)...]
        guard !portText.isEmpty, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(portText), port <= 65_535
        else {
            throw Self.invalid(text, "the port must be a number from 0 to 65535")
        }
        self.host = try Self.host(text[..<colon], of: text)
        self.port = port
    }

    private static func host(_ part: Substring, of text: String) throws(MonitoringError) -> String {
        if part.hasPrefix("[") {
            let address = String(part.dropFirst().dropLast())
            guard part.hasSuffix("]"), isIPv6(address) else {
                throw invalid(text, "the brackets must hold an IPv6 address")
            }
            return address
        }
        guard !part.contains(":") else { throw invalid(text, "an IPv6 address needs brackets") }
        let isName = part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isName, part.utf8.count <= 253 else { throw invalid(text, "the host is no name and no address") }
        return String(part)
    }

    private static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET6, text, &address) == 1
    }

    private static func invalid(_ text: String, _ reason: String) -> MonitoringError {
        let allowed = "allowed are \"host:port\", \":8080\" (every address) and \"[::1]:8080\""
        return MonitoringError(.invalidAddress, "cannot listen on \(text.prefix(100).quoted): \(reason); \(allowed)")
    }

    /// The address as it is given on the command line.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension Substring {
    fileprivate var quoted: String { String(self).jsonQuoted }
}
