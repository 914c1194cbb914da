import CArchive
import Glibc

/// Where a tar's bytes go: an open file, or memory.
///
/// Safety: used by one `TarWriter` on one thread; libarchive calls back within the writer's own calls only.
final class TarSink {
    private let descriptor: Int32?
    /// The tar so far, where it is made in memory.
    private(set) var bytes: [UInt8] = []
    /// The `errno` of a write that failed.
    private(set) var failure: Int32?
    /// Whether writes are refused from now on.
    var isClosed = false

    /// Writes to an open file, or to memory where there is none.
    init(descriptor: Int32?) {
        self.descriptor = descriptor
    }

    /// The number of bytes taken, or -1.
    fileprivate func take(_ buffer: UnsafeRawBufferPointer) -> Int {
        guard !isClosed else { return -1 }
        guard let descriptor else {
            bytes.append(contentsOf: buffer)
            return buffer.count
        }
        while true {
            let count = write(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else {
                failure = errno
                return -1
            }
        }
    }

    /// libarchive's callback; the context is the sink.
    static let callback: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?, Int) -> Int = {
        _,
        context,
        buffer,
        count in
        guard let context else { return -1 }
        let sink = Unmanaged<TarSink>.fromOpaque(context).takeUnretainedValue()
        return sink.take(UnsafeRawBufferPointer(start: buffer, count: count))
    }
}
