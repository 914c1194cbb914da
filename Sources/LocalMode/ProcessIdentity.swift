import CLinux
import Glibc
import Model

/// A process that can't be taken for another: its number, and when the kernel started it.
///
/// A number alone is given to somebody else once its process is gone.
struct ProcessIdentity: Sendable, Hashable {
    let pid: Int32
    /// In ticks since the machine's start: field 22 of `/proc/PID/stat`.
    let startTime: UInt64

    init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has the number at the moment; nil when none runs.
    init?(running pid: Int32) {
        guard let line = ProcessLine(pid: pid), line.isRunning else { return nil }
        self = line.identity
    }

    /// Whether this very process runs; one that ended and only waits to be reaped doesn't.
    var isRunning: Bool { ProcessIdentity(running: pid) == self }

    /// A descriptor of the process, which becomes readable when it ends; nil when it doesn't run.
    func open() -> Int32? {
        let descriptor = clinux_pidfd_open(pid)
        guard descriptor >= 0 else { return nil }
        // Only now the number can't change hands any more.
        guard isRunning else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Sends it a signal.
    /// - Returns: whether it was there.
    @discardableResult
    func send(_ signal: Int32) -> Bool {
        guard let descriptor = open() else { return false }
        defer { close(descriptor) }
        return clinux_pidfd_send_signal(descriptor, signal) == 0
    }

    var json: JSONValue { ["pid": .integer(Int64(pid)), "start": .integer(Int64(clamping: startTime))] }

    init?(_ json: JSONValue?) {
        guard let object = json?.object, case .integer(let pid) = object["pid"],
            case .integer(let start) = object["start"],
            let pid = Int32(exactly: pid), pid > 0, start >= 0
        else { return nil }
        self.init(pid: pid, startTime: UInt64(start))
    }

    /// Identifies this start of the machine: what ran before it runs no more.
    static func bootID() throws(LocalError) -> String {
        let path = "/proc/sys/kernel/random/boot_id"
        guard let bytes = try SystemFile.read(path) else { throw .system("can't open", path, ENOENT) }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// A process as `/proc/PID/stat` tells.
struct ProcessLine: Sendable {
    let identity: ProcessIdentity
    let parent: Int32
    let state: UInt8

    var isRunning: Bool { state != UInt8(ascii: "Z") && state != UInt8(ascii: "X") }

    /// nil when there is no such process.
    init?(pid: Int32) {
        guard let bytes = ProcessLine.stat(pid), let name = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // The name before may hold anything, spaces and parentheses too.
        let fields = bytes[(name + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let start = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.state = state
        self.parent = parent
        identity = ProcessIdentity(pid: pid, startTime: start)
    }

    private static func stat(_ pid: Int32) -> [UInt8]? {
        let descriptor = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = read(descriptor, &buffer, buffer.count)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
