import CLinux
import Glibc
import Runtime
import Util

/// What a bot writes: two pipes on one side, files of lines on the other.
struct BotOutput: ~Copyable {
    private struct Pipe {
        let stream: OutputLine.Stream
        var reader: Int32
        var writer: Int32
        var lines = LineAssembler()
    }

    private let folder: RunFolder
    private var pipes: [Pipe] = []
    private var file: OutputFile?
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var records: [UInt8] = []

    init(folder: RunFolder) {
        self.folder = folder
    }

    /// Makes the pipes and the first file.
    mutating func open(maximum: Int64, count: Int) throws(LocalError) {
        file = try OutputFile(folder: folder, maximum: maximum, count: count)
        for stream in [OutputLine.Stream.stdout, .stderr] {
            var ends: [Int32] = [0, 0]
            guard clinux_pipe(&ends) == 0 else { throw LocalError(.exhausted, "no pipe for a bot's output") }
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            pipes.append(Pipe(stream: stream, reader: ends[0], writer: ends[1]))
        }
    }

    /// The ends that the bot writes to: standard output, standard error.
    var writers: [Int32] { pipes.map(\.writer) }

    /// The ends that are read, as far as they are open.
    var readers: [Int32] { pipes.map(\.reader).filter { $0 >= 0 } }

    /// Leaves the writing ends to the bot.
    mutating func closeWriters() {
        for index in pipes.indices {
            close(pipes[index].writer)
            pipes[index].writer = -1
        }
    }

    /// Takes what is there, a bounded piece of each.
    mutating func take() {
        for index in pipes.indices { take(index) }
    }

    /// Takes all that is left, and what stands after the last line's end. Nobody writes any more.
    mutating func finish() {
        for index in pipes.indices {
            while take(index) {}
            let time = Timestamp.now
            var count = 0
            let stream = pipes[index].stream
            var last: [UInt8] = []
            pipes[index].lines.finish { line in
                OutputRecord.append(line, stream, time, to: &last)
                count += 1
            }
            file?.append(last, lines: count, time: time)
        }
    }

    /// - Returns: whether there was something.
    @discardableResult
    private mutating func take(_ index: Int) -> Bool {
        let reader = pipes[index].reader
        guard reader >= 0 else { return false }
        var count: Int
        repeat { count = read(reader, &buffer, buffer.count) } while count < 0 && errno == EINTR
        if count < 0, errno == EAGAIN { return false }
        guard count > 0 else {
            close(reader)
            pipes[index].reader = -1
            return false
        }
        let time = Timestamp.now
        let stream = pipes[index].stream
        records.removeAll(keepingCapacity: true)
        var lines = 0
        var taken = records
        records = []
        pipes[index].lines.add(buffer[..<count]) { line in
            OutputRecord.append(line, stream, time, to: &taken)
            lines += 1
        }
        records = taken
        file?.append(records, lines: lines, time: time)
        // A burst of long lines isn't kept in memory.
        if records.capacity > 4 << 20 { records = [] }
        return true
    }
}
