import Glibc
import Util

/// The files that a bot's output goes to, one after the other, the oldest removed: like an engine's own log.
struct OutputFile: ~Copyable {
    private let folder: RunFolder
    private let maximum: Int64
    private let count: Int
    private var generation = 0
    private var descriptor: Int32 = -1
    private var size: Int64 = 0
    /// Lines that found no room.
    private var lost = 0

    init(folder: RunFolder, maximum: Int64, count: Int) throws(LocalError) {
        self.folder = folder
        self.maximum = maximum
        self.count = count
        guard turn() else { throw .system("can't make the file", folder.output(1)) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes whole lines with one call. A bot is never held up for want of room on the disk: what doesn't fit is lost, and a
    /// mark says so where it goes on.
    mutating func append(_ records: [UInt8], lines: Int, time: Timestamp) {
        guard lines > 0 else { return }
        if size >= maximum, !turn() {
            lost += lines
            return
        }
        var bytes = records
        if lost > 0 {
            bytes = []
            OutputRecord.appendGap(lines: lost, time, to: &bytes)
            bytes += records
        }
        if write(bytes) { lost = 0 } else { lost += lines }
    }

    private mutating func write(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let written = bytes[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                // No half of a line stays.
                ftruncate(descriptor, off_t(size))
                return false
            }
            start += written
        }
        size += Int64(bytes.count)
        return true
    }

    /// Begins the next file.
    private mutating func turn() -> Bool {
        let next = open(
            folder.output(generation + 1),
            O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
            0o600
        )
        guard next >= 0 else { return false }
        if descriptor >= 0 { close(descriptor) }
        descriptor = next
        generation += 1
        size = 0
        if generation > count { unlink(folder.output(generation - count)) }
        return true
    }
}
