public import Foundation

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Inputs for a parser that are kept in the repository, in a folder of a test target's resources.
public struct Corpus: Sendable {
    /// The inputs, in the order of their files' names.
    public let inputs: [[UInt8]]
    /// Pieces that mean something to the parser, from the file `words.txt`.
    public let words: [String]

    /// Reads a folder below `Corpus`.
    ///
    /// A `.lines` file holds one input a line, with `\n`, `\t`, `\\` and `\xNN` for single bytes; any other is one input.
    /// `words.txt` is the dictionary, written like `.lines`; `.py` files made others.
    /// - Throws: `FixtureError` when it has no input.
    public init(_ name: String, in bundle: Bundle) throws {
        guard let folder = bundle.resourceURL?.appendingPathComponent("Corpus/\(name)") else {
            throw FixtureError("the tests have no resources")
        }
        var inputs: [[UInt8]] = []
        var words: [String] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(file)))
            let lines = { bytes.split(separator: 0x0A).map(Self.unescaped) }
            if file == "words.txt" {
                words = lines().map { String(decoding: $0, as: UTF8.self) }
            } else if file.hasSuffix(".lines") {
                inputs += lines()
            } else if !file.hasSuffix(".py") {
                inputs.append(bytes)
            }
        }
        guard !inputs.isEmpty else { throw FixtureError("the corpus \(name) is empty") }
        self.inputs = inputs
        self.words = words
    }

    private static func unescaped(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = line
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let mark = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch mark {
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x"):
                bytes += UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16).map { [$0] } ?? []
                rest = rest.dropFirst(2)
            default: bytes.append(mark)
            }
        }
        return bytes
    }
}

/// How much fuzzing there is, from the environment.
public enum Fuzzing {
    /// `FUZZ_ROUNDS`: how many times more than usual.
    public static let rounds = setting("FUZZ_ROUNDS") ?? 1
    /// `FUZZ_SEED`: other inputs than usual.
    public static let seed = UInt64(setting("FUZZ_SEED") ?? 20_261)
    /// `FUZZ_PATIENCE`: how many times longer an input may take, where a sanitizer slows everything down.
    public static let patience = setting("FUZZ_PATIENCE") ?? 1
    /// `FUZZ_INPUT`: a file that each input is written to before it is tried: the one there after a crash did it.
    static let inputFile = ProcessInfo.processInfo.environment["FUZZ_INPUT"]

    private static func setting(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
}

/// Tries every input of a corpus, and mutations of them.
///
/// - Parameters:
///   - corpus: the inputs.
///   - count: how many mutations, unless `FUZZ_ROUNDS` says more.
///   - longest: the most bytes a mutation has.
///   - limit: the processor time that one input may take, in an unoptimised build.
///   - check: tries an input and throws what is wrong with the outcome; a number source for its own choices comes along.
/// - Throws: `FixtureError` with the input that failed the check or took too long.
public func fuzz(
    _ corpus: Corpus,
    count: Int = 2000,
    longest: Int = 16 << 10,
    limit: Duration = .milliseconds(500),
    _ check: ([UInt8], inout Mutator) throws -> Void
) throws {
    var mutator = Mutator(corpus.inputs, words: corpus.words, longest: longest, seed: Fuzzing.seed)
    for index in 0..<(corpus.inputs.count + count * Fuzzing.rounds) {
        let input = index < corpus.inputs.count ? corpus.inputs[index] : mutator.next()
        if let file = Fuzzing.inputFile { try Data(input).write(to: URL(fileURLWithPath: file)) }
        let start = processorTime()
        do { try check(input, &mutator) } catch {
            throw FixtureError("input \(index), seed \(Fuzzing.seed): \(error)\n\(shown(input))")
        }
        let taken = processorTime() - start
        guard taken <= limit * Fuzzing.patience else {
            throw FixtureError("input \(index), seed \(Fuzzing.seed), took \(taken)\n\(shown(input))")
        }
    }
}

/// Fails a check of ``fuzz(_:count:longest:limit:_:)``.
public func must(_ condition: Bool, _ what: @autoclosure () -> String) throws {
    if !condition { throw FixtureError(what()) }
}

/// The input as a line of a corpus.
private func shown(_ input: [UInt8]) -> String {
    let text = input.prefix(4000).map { byte in
        switch byte {
        case UInt8(ascii: "\\"): "\\\\"
        case 0x20...0x7E: String(UnicodeScalar(byte))
        default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }.joined()
    return text + (input.count > 4000 ? "… of \(input.count) bytes" : "")
}

/// The processor time of this thread: what other threads and processes do doesn't count.
private func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
