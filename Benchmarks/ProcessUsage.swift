import Foundation
import TestSupport

/// What a process has used, as the kernel counts it.
struct ProcessUsage: Sendable {
    /// CPU time of all threads that it ever had, in seconds, to the nanosecond.
    private let cpu: Double
    /// Resident memory in bytes, and the most it ever was.
    let resident: Double
    let mostResident: Double
    private let takenAt = ContinuousClock.now

    init(pid: Int32) throws {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw FixtureError("process \(pid) has no CPU clock")
        }
        cpu = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        func text(_ path: String) throws -> String {
            try String(contentsOfFile: "/proc/\(pid)/\(path)", encoding: .utf8)
        }
        let status = try text("status").split(separator: "\n")
        func kilobytes(_ name: String) throws -> Double {
            guard let line = status.first(where: { $0.hasPrefix("\(name):") }),
                let value = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
            else { throw FixtureError("/proc/\(pid)/status: no \(name)") }
            return value * 1024
        }
        resident = try kilobytes("VmRSS")
        mostResident = try kilobytes("VmHWM")
    }

    /// Seconds of CPU used since an earlier reading.
    func cpu(since earlier: ProcessUsage) -> Double { cpu - earlier.cpu }

    /// The share of one core used since an earlier reading.
    func share(since earlier: ProcessUsage) -> Double {
        cpu(since: earlier) / earlier.takenAt.duration(to: takenAt).inSeconds
    }
}

extension Duration {
    /// The whole duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
