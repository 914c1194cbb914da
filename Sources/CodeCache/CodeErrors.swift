import Archive
import Glibc
import Model
import ObjectStorage
import Runtime
import Util

extension RunnerError {
    /// Why the object store didn't give an archive.
    init(_ error: ObjectStorageError) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .tooLarge, .invalidKey: .codeInvalid
            case .notFound, .noBucket, .denied, .clockSkew, .invalidConfiguration, .truncated, .unavailable,
                .unexpectedAnswer, .refused, .changed, .localFile, .diskFull:
                .codeUnavailable
            }
        // All but a bad archive may be cured elsewhere, without the bot being changed: an upload, a clock, a key.
        self.init(code, error.message, cause: error)
    }

    /// Why an archive can't be used.
    init(_ error: ArchiveError) {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .io: .codeUnavailable
            case .notAZip, .empty, .unsafeEntry, .duplicate, .tooLarge, .tooManyEntries, .ratio, .truncated, .corrupt,
                .encrypted, .unsupported:
                .codeInvalid
            }
        if error.cause?.number == ENOSPC || error.cause?.number == EDQUOT {
            self.init(code, "no room is left on this machine's disk for the code: \(error)", cause: error)
        } else {
            self.init(code, error.description, cause: error)
        }
    }

    /// The error of a system call in the cache's folder.
    static func system(_ doing: String, _ path: String, _ number: Int32) -> RunnerError {
        let isFull = number == ENOSPC || number == EDQUOT
        let reason = isFull ? "no room is left on this machine's disk" : String(cString: strerror(number))
        return RunnerError(.codeUnavailable, "code cache: \(doing) \(path.quotedForError): \(reason)")
    }

    /// The same failure with the code it is about in front.
    func naming(_ version: CustomBotVersion) -> RunnerError {
        let name = version.version.isEmpty ? "" : " of version \(version.version.escapedForMessage)"
        return RunnerError(code, "code\(name) (\(version.place)): \(message)", cause: cause, isRetryable: isRetryable)
    }
}

extension CustomBotVersion {
    /// Where the code lies, for messages.
    var place: String {
        switch code {
        case .object(let key): "object \(key.escapedForMessage)"
        case .directory(let path, _): "folder \(path.escapedForMessage)"
        }
    }
}

extension String {
    var quotedForError: String { escapedForMessage }
}

/// Takes calls that block to threads of their own.
struct Worker: Sendable {
    let executor: BlockingExecutor

    func run<Value: Sendable>(_ call: @Sendable () throws(RunnerError) -> Value) async throws(RunnerError) -> Value {
        do {
            return try await executor.blocking(call)
        } catch let error as RunnerError {
            throw error
        } catch {
            throw RunnerError(.cancelled, "cancelled while waiting for the disk", cause: error)
        }
    }
}
