import Runtime
import Util

/// Tells whether an engine that follows a log begins to give it once more.
///
/// Docker 20.10 does when the log's file has turned over: the last file again from its beginning, now and then, mostly as the
/// container ends. Frames that were given before have earlier times than the last, which happens otherwise only by the disorder
/// between the two streams, by lines in parts, and when the clock is set. The parts of a line all have its time: those that were
/// given before can't be told from those of a line that repeats itself. Whatever is in doubt is settled by reading without
/// following, where the engine gives the log as it is.
struct RecentFrames {
    private static let most = 4096
    private static let longest: Int64 = 5_000_000_000
    /// More than the disorder of two streams under load.
    private static let disorder: Int64 = 500_000_000

    private var marks: [FrameMark] = []
    private var first = 0
    private var latest = Int64.min
    private var isComplete = true

    /// Whether the engine may be repeating itself with a frame.
    /// - Parameter isPart: whether it goes on with a line that has its time.
    func isRepeated(_ mark: FrameMark, isPart: Bool) -> Bool {
        let time = mark.time.nanosecondsSince1970
        guard time <= latest else { return false }
        return isPart ? marks[first...].contains(mark) : isOld(mark, time)
    }

    /// Remembers a frame that is no repetition.
    mutating func add(_ mark: FrameMark, isPart: Bool) {
        let time = mark.time.nanosecondsSince1970
        let wasSetBack = !isPart && !marks.isEmpty && time < latest &- RecentFrames.disorder
        latest = wasSetBack ? time : max(latest, time)
        marks.append(mark)
        while marks.count - first > RecentFrames.most
            || marks[first].time.nanosecondsSince1970 < latest &- RecentFrames.longest
        {
            first += 1
            isComplete = false
        }
        if first > 64, first > marks.count / 2 {
            marks.removeFirst(first)
            first = 0
        }
    }

    private func isOld(_ mark: FrameMark, _ time: Int64) -> Bool {
        if marks[first...].contains(mark) { return true }
        guard !isComplete, time < latest &- RecentFrames.disorder else { return false }
        return marks[first...].allSatisfy { time < $0.time.nanosecondsSince1970 }
    }
}
