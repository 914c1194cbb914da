import Control
import Glibc
import Model

/// Why what is kept of a schedule can't be read or written.
struct StateProblem: Error {
    let code: StoreError.Code
    /// The file, relative to the directory; empty where that isn't known yet.
    var file: String
    let problem: String

    init(_ problem: String, file: String = "", code: StoreError.Code = .refused) {
        self.code = code
        self.file = file
        self.problem = problem
    }

    /// A system call failed.
    static func system(_ what: String, _ file: String, _ number: Int32) -> StateProblem {
        let reason = String(cString: strerror(number))
        return switch number {
        case EROFS, EACCES, EPERM:
            StateProblem(
                "\(what): \(reason); cursors and runs of schedules are kept there, so it must be writable",
                file: file,
                code: .unauthorized
            )
        default: StateProblem("\(what): \(reason)", file: file, code: .unavailable)
        }
    }

    /// As a failure of the whole store in a directory.
    func storeError(in root: String) -> StoreError {
        StoreError(code, "\((file.isEmpty ? root : "\(root)/\(file)").escapedForMessage) \(problem)")
    }

    /// As what is wrong with one schedule.
    func documentError(of id: BotID) -> DocumentError {
        DocumentError(id: id.text, field: file, problem: problem)
    }
}
