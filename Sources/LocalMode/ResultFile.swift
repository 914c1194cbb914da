import CLinux
import Glibc

/// The file in which a run leaves its result. The bot decides what is there: nothing is followed, and nothing waited for.
enum ResultFile {
    /// Why there is none to be had.
    enum Failure: Error, Sendable {
        /// What is there isn't to be taken.
        case refused(String)
        case system(LocalError)
    }

    /// The file's bytes; nil when there is none.
    /// - Parameter limit: the most bytes it may have.
    static func read(in code: String, limit: Int) throws(Failure) -> [UInt8]? {
        let folder = open(code, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard folder >= 0 else { return try failed(code) }
        defer { close(folder) }
        let path = "\(code)/result.json"
        // A FIFO would be waited for.
        let descriptor = openat(folder, "result.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return try failed(path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(.system("can't look at", path)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .refused("is no file") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // Whatever its size was said to be.
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(.system("can't read", path)) }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
        throw .refused("has \(max(Int(status.st_size), bytes.count)) bytes or more; allowed are \(limit)")
    }

    private static func failed(_ path: String) throws(Failure) -> [UInt8]? {
        switch errno {
        case ENOENT: return nil
        case ELOOP: throw .refused("is a link, not a file")
        case ENOTDIR: throw .refused("is in no folder of its own any more")
        // A socket.
        case ENXIO: throw .refused("is no file")
        case EACCES: throw .refused("can't be read: the bot has taken the right to away")
        default: throw .system(.system("can't open", path))
        }
    }
}
