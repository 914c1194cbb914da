import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Where finished log lines go.
public protocol LogSink: Sendable {
    /// Takes one line, its newline included; lines of concurrent calls must not mix.
    func write(line: [UInt8])
}

/// Writes each line to a file descriptor with one `write(2)`, more only where the system takes less than all.
public final class DescriptorSink: LogSink {
    /// Standard error.
    public static let standardError = DescriptorSink(descriptor: STDERR_FILENO)

    private let descriptor: Int32
    private let patience: Duration
    /// Held while writing, for a line beyond a pipe's atomic size would otherwise mix with others; whether the last line
    /// was cut off.
    private let isCutOff = Mutex(false)

    /// A sink on a descriptor that stays open as long as the sink is used; the sink doesn't close it.
    ///
    /// - Parameters:
    ///   - descriptor: where lines go.
    ///   - patience: how long a non-blocking descriptor may have no room before the rest of a line is given up, so that
    ///     a stuck reader stops no bot.
    public init(descriptor: Int32, patience: Duration = .seconds(1)) {
        self.descriptor = descriptor
        self.patience = patience
    }

    /// Whether a person is likely to watch.
    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes one line; what the descriptor refuses is lost.
    public func write(line: [UInt8]) {
        isCutOff.withLock { isCutOff in
            let bytes = isCutOff ? [0x0A] + line : line
            let written = writeAll(bytes)
            isCutOff = written == 0 ? isCutOff : written < bytes.count
        }
    }

    /// Writes what the descriptor takes, and returns how much that was. A log that can't be written has nowhere to say so.
    private func writeAll(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]))
                if count >= 0 {
                    written += count
                } else if errno == EAGAIN {
                    // Someone else made the shared terminal or pipe non-blocking.
                    guard hasRoom() else { break }
                } else if errno != EINTR {
                    break
                }
            }
            return written
        }
    }

    private func hasRoom() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let milliseconds = Int32(max(0, min(patience / .milliseconds(1), 60_000)))
        return poll(&request, 1, milliseconds) > 0
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
