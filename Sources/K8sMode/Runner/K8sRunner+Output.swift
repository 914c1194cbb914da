public import Runtime
import Util

extension K8sRunner: RunOutputReading {
    /// The last lines that a Pod's bot wrote; where it was started anew and hasn't written yet, those of the container before.
    public func lastLines(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [OutputLine] {
        guard limit > 0 else { return [] }
        let pod = try PodReference(run)
        do throws(K8sError) {
            guard try await view.pods.get(pod.name)?.uid == pod.uid else {
                throw K8sError(.notFound, "it isn't there any more")
            }
            let lines = try await lastLines(pod.name, limit, previous: false)
            return lines.isEmpty ? try await lastLines(pod.name, limit, previous: true) : lines
        } catch {
            let code: RunnerError.Code = error.code == .notFound ? .gone : .refused
            throw error.runnerError(code, "reading the output of Pod \(pod.name)")
        }
    }

    private func lastLines(_ pod: String, _ limit: Int, previous: Bool) async throws(K8sError) -> [OutputLine] {
        var query = PodLogQuery(container: PodTemplate.Container.bot, previous: previous, tailLines: limit)
        query.timestamps = true
        let log: PodLog
        do throws(K8sError) { log = try await view.pods.log(of: pod, query) } catch {
            // Nothing was started, or nothing before.
            guard error.code == .refused || error.code == .invalid else { throw error }
            return []
        }
        var tail = LastPodLines(limit: limit)
        var lines = PodLogLines(longest: LastPodLines.longest)
        var pieces = log.makeAsyncIterator()
        while let piece = try await pieces.next() { lines.add(piece) { tail.add($0) } }
        if let line = lines.finish() { tail.add(line) }
        return tail.lines
    }
}

/// Keeps the last of many lines, in bounded memory.
struct LastPodLines: Sendable {
    /// The longest text of a line that is kept, in bytes; the rest of it is cut off.
    static let longest = 64 << 10
    /// The most bytes that all kept lines may have.
    private static let mostBytes = 8 << 20

    private let limit: Int
    private var kept: [PodLogLine] = []
    private var first = 0
    private var bytes = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Takes the next line.
    mutating func add(_ line: PodLogLine) {
        kept.append(line)
        bytes += line.bytes.count
        while first < kept.count, kept.count - first > limit || bytes > Self.mostBytes {
            bytes -= kept[first].bytes.count
            kept[first].bytes = []
            first += 1
        }
        if first > 1024, first > kept.count / 2 {
            kept.removeFirst(first)
            first = 0
        }
    }

    /// The lines, oldest first. One of the kubelet's own, which has no time, has that of the line before it.
    var lines: [OutputLine] {
        var time = Timestamp(secondsSince1970: 0)
        return kept[first...].map { line in
            time = line.time ?? time
            return OutputLine(stream: .stdout, time: time, text: String(decoding: line.bytes, as: UTF8.self))
        }
    }
}
