import Foundation
import TestSupport

/// What a process has used, as the kernel counts it.
struct ProcessUsage: Sendable {
    /// CPU time of each of its threads in nanoseconds (`/proc/PID/task/*/schedstat`), by thread.
    private let threads: [String: UInt64]
    /// CPU time of all threads that it ever had, in hundredths of a second.
    private let ticks: UInt64
    /// Resident memory in bytes, and the most it ever was.
    let resident: Double
    let mostResident: Double
    private let takenAt = ContinuousClock.now

    init(pid: Int32) throws {
        func text(_ path: String) throws -> String {
            try String(contentsOfFile: "/proc/\(pid)/\(path)", encoding: .utf8)
        }
        let stat = try text("stat")
        guard let end = stat.lastIndex(of: ")") else { throw FixtureError("/proc/\(pid)/stat: no name") }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else {
            throw FixtureError("/proc/\(pid)/stat: no CPU times")
        }
        ticks = user + system
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        threads = tasks.reduce(into: [:]) { threads, task in
            // A thread may end in between.
            let first = (try? text("task/\(task)/schedstat"))?.split(separator: " ").first
            threads[task] = first.flatMap { UInt64($0) }
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

    /// Seconds of CPU used since an earlier reading: to the nanosecond, unless a thread ended in between.
    func cpu(since earlier: ProcessUsage) -> Double {
        guard earlier.threads.keys.allSatisfy({ threads[$0] != nil }) else {
            return Double(ticks - earlier.ticks) / 100
        }
        return threads.reduce(0) { $0 + Double($1.value &- (earlier.threads[$1.key] ?? 0)) / 1e9 }
    }

    /// The share of one core used since an earlier reading.
    func share(since earlier: ProcessUsage) -> Double {
        cpu(since: earlier) / earlier.takenAt.duration(to: takenAt).inSeconds
    }
}

extension Duration {
    /// The whole duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
