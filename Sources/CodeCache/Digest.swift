import Crypto
import Glibc
import Runtime
import Util

/// SHA-256 in hexadecimal.
enum Digest {
    /// Of texts, each with its length, so that no two lists of texts have the same.
    static func of(_ texts: [String]) -> String {
        var hash = SHA256()
        for text in texts { hash.update(data: Array("\(text.utf8.count):\(text)".utf8)) }
        return hash.finalize().hexText
    }

    static func of(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexText }

    /// Of an open file's content.
    static func of(descriptor: Int32, path: String) throws(RunnerError) -> String {
        var hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var offset: off_t = 0
        while true {
            guard !Task.isCancelled else { throw RunnerError(.cancelled, "cancelled while the code was checked") }
            let count = pread(descriptor, buffer.baseAddress, buffer.count, offset)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("can't read", path, errno) }
            guard count > 0 else { return hash.finalize().hexText }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += off_t(count)
        }
    }

    static func isOne(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}
