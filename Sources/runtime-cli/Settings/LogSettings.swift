import ObjectStorage

/// What becomes of the bots' output.
struct LogSettings: Sendable {
    /// Whether it is collected at all.
    var isCollected: Bool
    /// The bucket it is stored in.
    var bucket: String
    /// The bucket with place and credentials; nil when no object store is configured.
    var objects: S3Configuration?
    /// The most bytes that wait on this machine.
    var spoolSize: Int64
    /// Whether credentials among a bot's parameters are masked in its lines.
    var isMasked: Bool

    /// Reads its settings.
    /// - Parameter objects: the object store with the bucket for code.
    init(_ sources: SettingSources, objects: S3Configuration?) throws(SettingError) {
        isCollected = try sources.value(.collectLogs, default: true, SettingParser.bool)
        let bucket = try sources.text(.logsBucket)
        self.bucket = bucket?.text ?? "bot-logs"
        if let bucket { _ = try RunnerSettings.s3(bucket.source, bucket: bucket.text) }
        do throws(ObjectStorageError) { self.objects = try objects?.with(bucket: self.bucket) } catch {
            throw SettingError(bucket?.source ?? "MINIO_LOGS_BUCKET", error.message)
        }
        spoolSize = try sources.value(.logSpoolSize, default: 1 << 30, SettingParser.bytes)
        isMasked = try sources.value(.maskLogs, default: false, SettingParser.bool)
    }
}
