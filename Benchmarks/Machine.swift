import Foundation
import HTTP
import Model
import TestSupport

/// Where and when was measured.
struct Machine: CustomStringConvertible, Sendable {
    let processor: String
    let cores: Int
    let memory: String
    let kernel: String
    let engine: String
    let commit: String
    let date: String

    static func described(_ bench: BenchEnvironment) async throws -> Machine {
        func value(_ file: String, _ name: String) -> String {
            let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n") ?? []
            let line = lines.first { $0.hasPrefix(name) }
            return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        }
        let version = try await bench.api.send(.get, "/version").expect(200).json.object
        let described = try await runCommand(["git", "-C", ServicePrograms.root, "describe", "--always", "--dirty"])
        return Machine(
            processor: value("/proc/cpuinfo", "model name"),
            cores: ProcessInfo.processInfo.activeProcessorCount,
            memory: value("/proc/meminfo", "MemTotal"),
            kernel: try await requireCommand(["uname", "-sr"]).trimmingCharacters(in: .whitespacesAndNewlines),
            engine: version?["Version"]?.string ?? "unknown",
            commit: described.text.trimmingCharacters(in: .whitespacesAndNewlines),
            date: String(Date().ISO8601Format().prefix(10))
        )
    }

    var description: String {
        "\(processor), \(cores) cores, \(memory) of memory, \(kernel), Docker engine \(engine); commit \(commit), \(date)"
    }
}
