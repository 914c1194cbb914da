import Model
import Runtime
import Util

/// A platform on which nothing runs, with last lines for whoever asks; nil makes reading them fail.
struct SilentRunner: RunOutputReading {
    var lines: [String]?

    init(_ lines: [String]? = []) { self.lines = lines }

    func runs(of kind: ExecutableKind) async throws(RunnerError) -> [ObservedRun] { [] }
    func runs(of kind: ExecutableKind, id: BotID) async throws(RunnerError) -> [ObservedRun] { [] }
    func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {}
    func remove(_ run: ObservedRun) async throws(RunnerError) {}

    func lastLines(of run: ObservedRun, limit: Int) async throws(RunnerError) -> [OutputLine] {
        guard let lines else { throw RunnerError(.unavailable, "the engine is gone") }
        return lines.suffix(limit).map {
            OutputLine(stream: .stdout, time: Timestamp(secondsSince1970: 0), text: $0)
        }
    }
}
