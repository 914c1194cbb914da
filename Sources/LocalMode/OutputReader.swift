import CLinux
import Glibc
import Runtime

/// Reads what a run has written, from a position on.
struct OutputReader: Sendable {
    let folder: RunFolder
    let reference: String

    /// A place between two lines: which file, and how many bytes of it.
    struct Position: Sendable, Hashable {
        var generation: Int
        var offset: Int64

        static let beginning = Position(generation: 1, offset: 0)

        init(generation: Int, offset: Int64) {
            self.generation = generation
            self.offset = offset
        }

        init(_ position: OutputPosition) throws(LocalError) {
            let parts = position.text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let generation = Int(parts[0]), generation > 0, let offset = Int64(parts[1]),
                offset >= 0
            else { throw LocalError(.damaged, "\(position.text) is no position in a run's output") }
            self.init(generation: generation, offset: offset)
        }

        var text: OutputPosition { OutputPosition(text: "\(generation):\(offset)") }
    }

    /// Some lines, and where they end.
    struct Portion: Sendable {
        var lines: [OutputText] = []
        var position: Position
        var hasGap = false
        /// Whether there was nothing more to read.
        var isLast = false
    }

    /// What is read at once, beyond a single line.
    private static let portion = 256 << 10

    /// Checks that the folder is still that of the run.
    func check() throws(LocalError) {
        guard try RunRecord.read(folder)?.reference == reference else {
            throw LocalError(.gone, "the run isn't there any more")
        }
    }

    /// The lines after a position, at most some hundred kilobytes of them.
    /// - Parameter isOver: whether nothing more will be written: then what stands there of a broken-off line is given too.
    func portion(after position: Position, isOver: Bool) throws(LocalError) -> Portion {
        var result = Portion(position: position)
        let generations = try folder.generations()
        guard let oldest = generations.first else {
            // A run's folder has one from its start on.
            try check()
            result.isLast = true
            return result
        }
        if position.generation < oldest {
            result.position = Position(generation: oldest, offset: 0)
            result.hasGap = true
        }
        // The next file there is: then this one is complete, and what is read of it from now on is all.
        let next = generations.first { $0 > result.position.generation }
        guard let descriptor = try open(result.position.generation) else {
            // Removed in this moment, with a newer one there.
            try check()
            return try portion(after: position, isOver: isOver)
        }
        defer { close(descriptor) }
        let isEmpty = try read(descriptor, into: &result, isOver: isOver || next != nil)
        if isEmpty {
            if let next { result.position = Position(generation: next, offset: 0) } else { result.isLast = true }
        }
        return result
    }

    /// The last lines of one file.
    func lastLines(of generation: Int, limit: Int) throws(LocalError) -> [OutputText] {
        guard let descriptor = try open(generation) else { return [] }
        defer { close(descriptor) }
        var kept: [OutputText] = []
        var portion = Portion(position: Position(generation: generation, offset: 0))
        while try !read(descriptor, into: &portion, isOver: false) {
            kept += portion.lines
            if kept.count > limit { kept.removeFirst(kept.count - limit) }
            portion.lines = []
        }
        return kept
    }

    private func open(_ generation: Int) throws(LocalError) -> Int32? {
        let descriptor = Glibc.open(folder.output(generation), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("can't open", folder.output(generation))
        }
        return descriptor
    }

    /// Adds what stands at the portion's position, and moves it on.
    /// - Returns: whether nothing was there.
    private func read(_ descriptor: Int32, into portion: inout Portion, isOver: Bool) throws(LocalError) -> Bool {
        var wanted = OutputReader.portion
        while true {
            var isTooShort = false
            let bytes = try bytes(descriptor, at: portion.position.offset, count: wanted)
            var rest = bytes[...]
            reading: while !rest.isEmpty {
                switch OutputRecord.read(rest) {
                case .entry(let entry, let size):
                    switch entry {
                    case .line(let line): portion.lines.append(line)
                    case .gap: portion.hasGap = true
                    }
                    rest = rest.dropFirst(size)
                case .incomplete(let size):
                    if rest.count == bytes.count, let size, size > wanted {
                        // Unless the file ends before that, which the next look shows.
                        isTooShort = bytes.count == wanted
                        if isTooShort {
                            wanted = size
                            break reading
                        }
                    }
                    // The file ends in the midst of a line, of which its writer was killed.
                    if isOver, bytes.count < wanted {
                        portion.hasGap = true
                        rest = []
                    }
                    break reading
                case .nonsense:
                    let place = "\(portion.position.offset + Int64(bytes.count - rest.count))"
                    throw LocalError(
                        .damaged,
                        "\(folder.output(portion.position.generation)) holds no line of ours at byte \(place)"
                    )
                }
            }
            let taken = bytes.count - rest.count
            portion.position.offset += Int64(taken)
            if !isTooShort { return taken == 0 }
        }
    }

    private func bytes(_ descriptor: Int32, at offset: Int64, count: Int) throws(LocalError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            while used < count {
                guard let start = buffer.baseAddress else { return }
                let read = pread(descriptor, start + used, count - used, off_t(offset) + off_t(used))
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = errno }
                guard read > 0 else { return }
                used += read
            }
        }
        guard failure == 0 else { throw .system("can't read in", folder.path, failure) }
        return bytes
    }
}
