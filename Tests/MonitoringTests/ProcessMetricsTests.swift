import Foundation
import Testing

@testable import Monitoring

@Suite struct ProcessMetricsTests {
    func value(_ name: String, in text: String) throws -> Double {
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
        return try #require(Double(line.dropFirst(name.count + 1)))
    }

    @Test func theProcessIsMeasured() throws {
        let text = ProcessMetrics().render()
        #expect(try value("process_resident_memory_bytes", in: text) > 1_000_000)
        #expect(try value("process_open_fds", in: text) >= 3)
        #expect(try value("process_cpu_seconds_total", in: text) >= 0)
        let age = Date().timeIntervalSince1970 - (try value("process_start_time_seconds", in: text))
        #expect(age > -2 && age < 86_400)
    }

    @Test func aHostileCommandNameConfusesNothing() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("proc-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createDirectory(
            at: root.appendingPathComponent("self/fd"),
            withIntermediateDirectories: true
        )
        let fields = (3...52).map(String.init).joined(separator: " ")
        try "1 (a) R 9 (x) y) \(fields)\n".write(
            to: root.appendingPathComponent("self/stat"),
            atomically: true,
            encoding: .utf8
        )
        try "cpu 1 2\nbtime 1000\n".write(to: root.appendingPathComponent("stat"), atomically: true, encoding: .utf8)
        let text = ProcessMetrics(root: root.path).render()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        // Fields 14 and 15, 22 and 24 of proc(5).
        #expect(try value("process_cpu_seconds_total", in: text) == 29 / ticks)
        #expect(try value("process_start_time_seconds", in: text) == 1000 + 22 / ticks)
        #expect(try value("process_resident_memory_bytes", in: text) == Double(24 * sysconf(Int32(_SC_PAGESIZE))))
        #expect(try value("process_open_fds", in: text) == 0)
    }

    @Test func whatCannotBeReadIsLeftOut() {
        #expect(ProcessMetrics(root: "/nowhere").render().isEmpty)
    }
}
