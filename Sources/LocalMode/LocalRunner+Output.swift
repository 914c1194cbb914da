public import Runtime

extension LocalRunner: RunOutputReading {
    /// The last lines that a run wrote, in the order they were written.
    public func lastLines(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [OutputLine] {
        guard limit > 0 else { return [] }
        do throws(LocalError) {
            return try await worker.run { () throws(LocalError) in
                let reader = try self.reader(of: run)
                // The newest file has them; only where it was just begun, the one before.
                var lines: [OutputText] = []
                for generation in try reader.folder.generations().reversed() {
                    lines = try reader.lastLines(of: generation, limit: limit - lines.count) + lines
                    if lines.count >= limit { break }
                }
                return lines.map {
                    OutputLine(stream: $0.stream, time: $0.time, text: String(decoding: $0.bytes, as: UTF8.self))
                }
            }
        } catch {
            throw error.runnerError(.unavailable, "reading the output of the run \(run.reference)")
        }
    }

    /// The output of a run that is there.
    func reader(of run: ObservedRun) throws(LocalError) -> OutputReader {
        guard let name = DataFolder.name(ofReference: run.reference) else {
            throw LocalError(.damaged, "\(run.reference) is no run of this runner")
        }
        let reader = OutputReader(folder: data.run(name), reference: run.reference)
        try reader.check()
        return reader
    }
}
