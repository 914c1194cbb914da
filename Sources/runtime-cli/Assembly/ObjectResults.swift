import Control
import HTTP
import Model
import ObjectStorage
import Util

/// Results of runs in a bucket: the newest of each schedule, where other parts of the platform read it.
struct ObjectResults: ResultStore {
    let storage: any ObjectStorage

    /// The store that settings name; nil where there is none.
    static func open(_ settings: RunnerSettings, executor: BlockingExecutor) -> ObjectResults? {
        if let folder = settings.objectFolder {
            let root = "\(folder)/\(settings.scheduler.resultsBucket)"
            return ObjectResults(storage: DirectoryObjectStorage(root: root, executor: executor))
        }
        return settings.scheduler.objects.map {
            ObjectResults(storage: S3ObjectStorage($0, client: HTTPClient(maxConnections: 8), executor: executor))
        }
    }

    func store(_ result: [UInt8], of id: BotID) async throws(StoreError) {
        do throws(ObjectStorageError) {
            try await storage.put("\(id.text)/analysis.json", bytes: result, contentType: "application/json")
        } catch {
            let code: StoreError.Code =
                switch error.code {
                case .cancelled: .cancelled
                case .denied: .unauthorized
                default: error.isRetryable ? .unavailable : .refused
                }
            throw StoreError(code, error.message, cause: error)
        }
    }
}
