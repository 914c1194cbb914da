import ArgumentParser
import Foundation
import Util

/// The exit codes of all commands beside those of ArgumentParser, after sysexits.h.
enum CommandExit {
    /// Data that was fetched can't be used.
    static let badData = ExitCode(65)
    /// Something that is needed doesn't answer.
    static let unavailable = ExitCode(69)
    /// A stop took longer than it may.
    static let overdue = ExitCode(70)
    /// A setting can't be used.
    static let configuration = ExitCode(78)

    /// Prints an error as people read it and gives the code to end with.
    static func failing(_ code: ExitCode, _ error: some Error, hint: String? = nil) -> ExitCode {
        // When nobody reads it, the exit code has to do.
        try? FileHandle.standardError.write(
            contentsOf: Data("\(line(error))\(hint.map { "\nhint: \($0)" } ?? "")\n".utf8)
        )
        return code
    }

    /// An error on one line, without credentials of URLs.
    static func line(_ error: some Error) -> String {
        "error: " + TextTable.printable(Redaction.urls(in: "\(error)"))
    }
}
