internal import Logging

/// What a line of the log says, before it is formatted; secrets are masked here, once for every format.
struct LogRecord {
    let time: Timestamp
    let level: Logger.Level
    let label: String
    let message: String
    let metadata: LogValue

    init(event: LogEvent, label: String, metadata: Logger.Metadata, time: Timestamp, secrets: Secrets) {
        self.time = time
        self.level = event.level
        self.label = label
        self.message = secrets.redact(event.message.description)
        var fields = metadata
        if let error = event.error { fields["error"] = "\(error)" }
        self.metadata = LogValue(.dictionary(fields), secrets: secrets)
    }
}

/// A value of the metadata, with members in order of their names.
indirect enum LogValue {
    case text(String)
    case list([LogValue])
    case object([(name: String, value: LogValue)])

    init(_ value: Logger.MetadataValue, secrets: Secrets) {
        switch value {
        case .string(let text): self = .text(secrets.redact(text))
        case .stringConvertible(let value): self = .text(secrets.redact(value.description))
        case .array(let values): self = .list(values.map { LogValue($0, secrets: secrets) })
        case .dictionary(let members):
            let sorted = members.sorted { $0.key < $1.key }
            self = .object(
                sorted.map { (name: secrets.redact($0.key), value: LogValue($0.value, secrets: secrets)) }
            )
        }
    }
}
