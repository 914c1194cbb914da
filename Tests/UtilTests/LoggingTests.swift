import Foundation
import Logging
import Testing

@testable import Util

@Suite struct LoggingTests {
    struct Failure: Error, CustomStringConvertible { let description: String }

    let sink = MemorySink()
    let secrets = Secrets()

    func logger(_ format: LogFormat, level: Logger.Level = .trace, isColoured: Bool = false) -> Logger {
        let options = LoggingOptions(level: level, format: format)
        return Logger(label: "docker") { [sink, secrets] label in
            LineLogHandler(
                label: label,
                options: options,
                isColoured: isColoured,
                secrets: secrets,
                sink: sink,
                now: { Timestamp(millisecondsSince1970: 1_795_508_123_947) }
            )
        }
    }

    @Test func f56TextShowsTheValuesInOrderOfTheirKeys() {
        var logger = logger(.text)
        logger[metadataKey: "bot"] = "b 1"
        logger.info("started", metadata: ["zone": "a", "n": "\(7)", "list": ["x", "y z"], "o": ["k": "v"], "e": ""])
        let expected = #"started bot="b 1" e="" list=["x","y z"] n=7 o={"k":"v"} zone=a"#
        #expect(sink.lines == ["2026-11-24T08:15:23.947Z INFO     docker: \(expected)\n"])
    }

    @Test func f56JSONIsOneObjectALine() throws {
        let hostile =
            "a\"b\\c\n\r\t\u{0}\u{1B}[31m\u{7F}\u{85}\u{2028}\u{202E}é😀"
            + String(decoding: [0xFF, 0x41], as: UTF8.self)
        logger(.json).warning("\(hostile)", metadata: ["k\n": "\(hostile)", "nested": ["a": ["b", ["c": "d"]]]])
        let line = try #require(sink.lines.first)
        #expect(line.filter(\.isNewline).count == 1 && line.hasSuffix("}\n"))
        #expect(
            line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0.value != 0x2028 }
        )
        let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(Set(object.keys) == ["time", "level", "logger", "message", "metadata"])
        #expect(object["time"] as? String == "2026-11-24T08:15:23.947Z")
        #expect(object["level"] as? String == "warning")
        #expect(object["logger"] as? String == "docker")
        #expect(object["message"] as? String == hostile)
        let metadata = try #require(object["metadata"] as? [String: Any])
        #expect(metadata["k\n"] as? String == hostile)
        let list = try #require((metadata["nested"] as? [String: Any])?["a"] as? [Any])
        #expect(list.first as? String == "b")
        #expect((list.last as? [String: String]) == ["c": "d"])
    }

    @Test func noTextCanForgeALine() {
        logger(.text).info("a\n2026 INFO forged\r\u{1B}[2J", metadata: ["k=v\n": "x=1 y=2", "q": "\"", "b": "\\"])
        #expect(
            sink.lines == [
                "2026-11-24T08:15:23.947Z INFO     docker: a\\n2026 INFO forged\\r\\u001b[2J "
                    + "b=\"\\\\\" \"k=v\\n\"=\"x=1 y=2\" q=\"\\\"\"\n"
            ]
        )
    }

    @Test(arguments: LogFormat.allCases)
    func f56PercentSignsAreJustText(format: LogFormat) {
        logger(format).error("100%s %d %@", metadata: ["rate": "5%"])
        #expect(sink.lines.first?.contains("100%s %d %@") == true)
        #expect(sink.lines.first?.contains("5%") == true)
    }

    @Test(arguments: LogFormat.allCases)
    func f38SecretsAreMaskedInEveryPart(format: LogFormat) {
        secrets.register("s3cr3t\"key")
        var logger = logger(format)
        logger[metadataKey: "fixed"] = "s3cr3t\"key"
        logger.error(
            "m s3cr3t\"key",
            error: Failure(description: "e s3cr3t\"key nats://tok3n@h"),
            metadata: ["l": ["s3cr3t\"key"], "d": ["s3cr3t\"key": "\(URLBox())"]]
        )
        #expect(sink.lines.count == 1)
        for part in ["s3cr3t", "tok3n", "hidden"] {
            #expect(sink.lines.first?.contains(part) == false)
        }
        #expect(sink.lines.first?.contains("nats://***@h") == true)
    }

    struct URLBox: CustomStringConvertible { let description = "mongodb://u:hidden@h" }

    @Test func theNearestMetadataWins() {
        let options = LoggingOptions(level: .info)
        let provider = Logger.MetadataProvider { ["a": "provided", "b": "provided", "c": "provided"] }
        var logger = Logger(
            label: "l",
            factory: { [sink] label in
                var handler = LineLogHandler(label: label, options: options, sink: sink)
                handler.metadataProvider = provider
                return handler
            }
        )
        logger[metadataKey: "b"] = "logger"
        logger[metadataKey: "c"] = "logger"
        logger.info("m", metadata: ["c": "call"])
        #expect(sink.lines.first?.hasSuffix("l: m a=provided b=logger c=call\n") == true)
    }

    @Test func lesserLevelsAreNotWritten() {
        let logger = logger(.text, level: .warning)
        logger.notice("no")
        logger.warning("yes")
        #expect(sink.lines.count == 1)
    }

    @Test func colourIsOnlyUsedWhenAsked() {
        logger(.text, isColoured: true).error("m")
        logger(.json, isColoured: true).error("m")
        #expect(sink.lines.first?.contains("\u{1B}[31mERROR   \u{1B}[0m docker: m") == true)
        #expect(sink.lines.last?.contains("\u{1B}") == false)
    }

    @Test func colourNeedsATerminalAndNoWishAgainstIt() {
        #expect(showsColour(isTerminal: true, noColor: nil))
        #expect(showsColour(isTerminal: true, noColor: ""))
        #expect(!showsColour(isTerminal: true, noColor: "0"))
        #expect(!showsColour(isTerminal: false, noColor: nil))
    }

    @Test func optionsAreReadFromText() throws {
        #expect(try LoggingOptions(level: "Debug", format: "JSON") == LoggingOptions(level: .debug, format: .json))
        #expect(try LoggingOptions(level: "warn", format: "text") == LoggingOptions(level: .warning, format: .text))
        let level = #expect(throws: UtilError.self) { try LoggingOptions(level: "loud", format: "text") }
        let allowed = "trace, debug, info, notice, warning, error, critical"
        #expect(level?.message == "unknown log level \"loud\": allowed are \(allowed)")
        let format = #expect(throws: UtilError.self) { try LoggingOptions(level: "info", format: "xml") }
        #expect(format?.message == "unknown log format \"xml\": allowed are text, json")
    }

    /// What a thread of its own reads from the pipe until its end: the writer may block the tests' threads.
    private func contents(of pipe: Pipe) -> AsyncStream<Data> {
        let (stream, continuation) = AsyncStream.makeStream(of: Data.self)
        let reader = pipe.fileHandleForReading
        Thread.detachNewThread {
            continuation.yield(reader.readDataToEndOfFile())
            continuation.finish()
        }
        return stream
    }

    private func all(_ stream: AsyncStream<Data>) async -> Data {
        await stream.reduce(into: Data()) { $0.append($1) }
    }

    @Test func aLineCutOffByAStuckReaderDoesNotRunIntoTheNext() throws {
        let pipe = Pipe()
        let output = pipe.fileHandleForWriting.fileDescriptor
        let input = pipe.fileHandleForReading.fileDescriptor
        for descriptor in [input, output] {
            #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
        }
        let sink = DescriptorSink(descriptor: output, patience: .zero)
        sink.write(line: Array(repeating: 0x61, count: 1_000_000) + [0x0A])
        let cutOff = available(input)
        #expect(cutOff.count > 1_000 && cutOff.count < 1_000_000 && Set(cutOff) == [0x61])
        sink.write(line: Array("next\n".utf8))
        sink.write(line: Array("last\n".utf8))
        #expect(available(input) == Array("\nnext\nlast\n".utf8))
        withExtendedLifetime(pipe) {}
    }

    /// What a non-blocking descriptor has right now.
    private func available(_ descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
        return bytes
    }

    @Test func concurrentLinesDoNotMix() async throws {
        let pipe = Pipe()
        let handle = pipe.fileHandleForWriting
        let sink = DescriptorSink(descriptor: handle.fileDescriptor)
        let received = contents(of: pipe)
        // Lines longer than a pipe takes in one piece.
        let length = 100_000
        await withTaskGroup(of: Void.self) { group in
            for letter in UInt8(ascii: "a")...UInt8(ascii: "h") {
                group.addTask {
                    sink.write(line: Array(repeating: letter, count: length) + [0x0A])
                }
            }
        }
        try handle.close()
        let lines = await all(received).split(separator: 0x0A)
        #expect(lines.count == 8)
        #expect(lines.allSatisfy { $0.count == length && Set($0).count == 1 })
    }

    @Test func aNonBlockingDescriptorLosesNothing() async throws {
        let pipe = Pipe()
        let handle = pipe.fileHandleForWriting
        let descriptor = handle.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
        let received = contents(of: pipe)
        DescriptorSink(descriptor: descriptor).write(line: Array(repeating: 0x61, count: 1_000_000))
        try handle.close()
        #expect(await all(received).count == 1_000_000)
    }
}
