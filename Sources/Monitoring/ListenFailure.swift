import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Why a server couldn't begin or ended.
struct ListenFailure {
    private let error: any Error
    private let number: Int32?

    init(_ error: any Error) {
        self.error = error
        number = (error as? IOError)?.errnoCode
    }

    /// Whether the machine lacks the address, or its family altogether.
    var isAddressMissing: Bool { number == EAFNOSUPPORT || number == EADDRNOTAVAIL }

    func described(_ address: ListenAddress) -> MonitoringError {
        let reason: String? =
            switch number {
            case EADDRINUSE: "port \(address.port) is already in use"
            case EADDRNOTAVAIL, EAFNOSUPPORT: "this machine doesn't have the address"
            case EACCES, EPERM: "port \(address.port) needs privileges that this process lacks"
            default: error is SocketAddressError ? "the host \(address.host) isn't known" : nil
            }
        guard let reason else {
            return MonitoringError(
                .serverFailed,
                "the status server on \(address) failed: \(error)",
                cause: error
            )
        }
        return MonitoringError(.cannotListen, "cannot listen on \(address): \(reason)", cause: error)
    }
}
