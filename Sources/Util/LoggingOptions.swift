public import Logging

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What is logged, and how it looks.
public struct LoggingOptions: Sendable, Hashable {
    /// The least level that is written.
    public var level: Logger.Level
    /// How lines look.
    public var format: LogFormat

    /// Options from values.
    public init(level: Logger.Level = .info, format: LogFormat = .text) {
        self.level = level
        self.format = format
    }

    /// Options from text, in any case; "warn" is the same as "warning".
    ///
    /// - Throws: ``UtilError`` with code `invalidLogging`, naming the text and what is allowed.
    public init(level: String, format: String) throws(UtilError) {
        let name = level.lowercased()
        guard let level = Logger.Level(rawValue: name == "warn" ? "warning" : name) else {
            let allowed = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw UtilError(.invalidLogging, "unknown log level \(level.quotedForError): allowed are \(allowed)")
        }
        guard let format = LogFormat(rawValue: format.lowercased()) else {
            let allowed = LogFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw UtilError(.invalidLogging, "unknown log format \(format.quotedForError): allowed are \(allowed)")
        }
        self.init(level: level, format: format)
    }
}

/// Makes every logger of the process write to standard error as the options say; call once, before the first logger.
///
/// Levels are coloured when standard error is a terminal and `NO_COLOR` isn't set (no-color.org: set and not empty).
///
/// - Parameters:
///   - options: the least level and the format.
///   - secrets: what is masked; values registered later are masked from then on.
public func bootstrapLogging(_ options: LoggingOptions, secrets: Secrets) {
    let sink = DescriptorSink.standardError
    let noColor = getenv("NO_COLOR").map { String(cString: $0) }
    let isColoured = showsColour(isTerminal: sink.isTerminal, noColor: noColor)
    LoggingSystem.bootstrap { label in
        LineLogHandler(label: label, options: options, isColoured: isColoured, secrets: secrets, sink: sink)
    }
}

func showsColour(isTerminal: Bool, noColor: String?) -> Bool {
    isTerminal && (noColor ?? "").isEmpty
}
