public import Logging

/// A swift-log handler that writes one line an event, without secrets, in either format.
public struct LineLogHandler: LogHandler {
    /// The least level that is written.
    public var logLevel: Logger.Level
    /// What every line of this logger carries.
    public var metadata: Logger.Metadata = [:]
    /// What every line carries that the task's context provides.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let isColoured: Bool
    private let sink: any LogSink
    private let secrets: Secrets
    private let now: @Sendable () -> Timestamp

    /// A handler for one logger.
    ///
    /// - Parameters:
    ///   - label: the logger's name.
    ///   - options: the least level that is written, and the format.
    ///   - isColoured: whether levels are coloured (text only).
    ///   - secrets: what is masked in messages and metadata.
    ///   - sink: where lines go.
    ///   - now: the time of a line.
    public init(
        label: String,
        options: LoggingOptions,
        isColoured: Bool = false,
        secrets: Secrets = Secrets(),
        sink: any LogSink = DescriptorSink.standardError,
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        self.label = label
        self.logLevel = options.level
        self.format = options.format
        self.isColoured = isColoured
        self.secrets = secrets
        self.sink = sink
        self.now = now
    }

    /// One value of what every line of this logger carries.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an event as one line.
    public func log(event: LogEvent) {
        // The nearer source wins: the call, then the logger, then the task.
        let provided = metadataProvider?.get() ?? [:]
        let fields = provided.merging(metadata) { $1 }.merging(event.metadata ?? [:]) { $1 }
        let record = LogRecord(event: event, label: label, metadata: fields, time: now(), secrets: secrets)
        let line =
            switch format {
            case .text: record.text(isColoured: isColoured)
            case .json: record.json
            }
        sink.write(line: Array(line.utf8) + [0x0A])
    }
}
