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
    /// Held while writing: a line beyond a pipe's atomic size would otherwise mix with others.
    private let turn = Mutex(())

    /// A sink on a descriptor that stays open as long as the sink is used; the sink doesn't close it.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Whether a person is likely to watch.
    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes one line; what the descriptor refuses is lost.
    public func write(line: [UInt8]) {
        turn.withLock { _ in
            line.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: rest))
                    if count >= 0 {
                        rest = rest.dropFirst(count)
                    } else if errno == EAGAIN {
                        // Someone else made the shared terminal or pipe non-blocking.
                        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        guard systemPoll(&poll) else { return }
                    } else if errno != EINTR {
                        // A log that can't be written has nowhere to say so.
                        return
                    }
                }
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

/// Waits up to a second for room; false when there is none by then, so that a stuck reader stops no bot.
private func systemPoll(_ descriptor: inout pollfd) -> Bool {
    poll(&descriptor, 1, 1000) > 0
}
