#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What Prometheus' client libraries show of their own process, read from Linux' `/proc`.
///
/// A value that can't be read is left out: unknown is not zero.
struct ProcessMetrics {
    /// Where the kernel's file system is; for tests.
    var root = "/proc"

    func render() -> String {
        let stat = fieldsOfStat()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var text = ""
        if let stat, let user = Double(stat[11]), let system = Double(stat[12]), ticks > 0 {
            text += metric(
                "process_cpu_seconds_total",
                "counter",
                "User and system CPU time spent, in seconds.",
                (user + system) / ticks
            )
        }
        if let count = openFiles() {
            text += metric("process_open_fds", "gauge", "Open file descriptors.", Double(count))
        }
        if let stat, let pages = Double(stat[21]) {
            text += metric(
                "process_resident_memory_bytes",
                "gauge",
                "Resident memory size in bytes.",
                pages * Double(sysconf(Int32(_SC_PAGESIZE)))
            )
        }
        if let stat, let start = Double(stat[19]), let boot = bootTime(), ticks > 0 {
            text += metric(
                "process_start_time_seconds",
                "gauge",
                "Start of the process, in seconds since 1970.",
                boot + start / ticks
            )
        }
        return text
    }

    private func metric(_ name: String, _ type: String, _ help: String, _ value: Double) -> String {
        PrometheusText.head(name, type: type, help: help) + PrometheusText.sample(name, "", value)
    }

    /// The fields of `/proc/self/stat` from the third, the state, on: the second is the command's name in parentheses,
    /// which may contain anything.
    private func fieldsOfStat() -> [Substring]? {
        guard let text = contents("self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        return fields.count > 21 ? fields : nil
    }

    private func bootTime() -> Double? {
        let line = contents("stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }

    private func openFiles() -> Int? {
        guard let directory = opendir(root + "/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // ".", "..", and the directory that is being read.
        return max(0, count - 3)
    }

    private func contents(_ path: String) -> String? {
        guard let file = fopen(root + "/" + path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
