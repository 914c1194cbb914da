import ObjectStorage
import Util

/// What only a bot-scheduler is told.
struct SchedulerSettings: Sendable {
    /// How often everything is looked at although nothing happened.
    var interval: Duration
    /// The bucket that results of runs are stored in.
    var resultsBucket: String
    /// That bucket with place and credentials; nil when no object store is configured.
    var objects: S3Configuration?

    /// Reads its settings.
    /// - Parameter objects: the object store with the bucket for code.
    init(_ sources: SettingSources, objects: S3Configuration?) throws(SettingError) {
        interval = try sources.value(
            .checkInterval,
            default: .seconds(10),
            SettingParser.duration(from: .seconds(1))
        )
        let bucket = try sources.text(.resultsBucket)
        resultsBucket = bucket?.text ?? "backtests"
        if let bucket { _ = try RunnerSettings.s3(bucket.source, bucket: bucket.text) }
        do throws(ObjectStorageError) { self.objects = try objects?.with(bucket: resultsBucket) } catch {
            throw SettingError(bucket?.source ?? "MINIO_BACKTESTS_BUCKET", error.message)
        }
    }
}
