#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file in pieces, read while they are sent.
///
/// A piece takes some ten microseconds out of the page cache, where an archive that was just written or checked is found, and
/// the next is read only when the engine has taken it.
struct FilePieces: AsyncSequence, Sendable {
    typealias Element = [UInt8]
    typealias Failure = any Error

    static let piece = 256 << 10

    let path: String

    func makeAsyncIterator() -> Iterator { Iterator(path: path) }

    struct Iterator: AsyncIteratorProtocol {
        private let path: String
        private var file: OpenFile?

        init(path: String) {
            self.path = path
        }

        mutating func next() async throws -> [UInt8]? {
            try Task.checkCancellation()
            let file = try self.file ?? OpenFile(path: path)
            self.file = file
            return try file.read(FilePieces.piece)
        }
    }
}

/// A file's descriptor, closed with the last reference.
private final class OpenFile {
    private let descriptor: Int32

    init(path: String) throws(DockerError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DockerError(.failed, "code archive \(path): can't be opened: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(descriptor)
    }

    /// At most so many bytes, nil at the end.
    func read(_ count: Int) throws(DockerError) -> [UInt8]? {
        var failure: Int32?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            var result: Int
            repeat { result = systemRead(descriptor, buffer.baseAddress, count) } while result < 0 && errno == EINTR
            if result < 0 { failure = errno }
            used = max(0, result)
        }
        if let failure {
            throw DockerError(.failed, "code archive: can't be read: \(String(cString: strerror(failure)))")
        }
        return bytes.isEmpty ? nil : bytes
    }
}

#if canImport(Musl)
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    Musl.read(descriptor, buffer, count)
}
#else
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    Glibc.read(descriptor, buffer, count)
}
#endif
