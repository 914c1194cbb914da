import ArgumentParser
import Foundation

/// The exit codes of all commands beside those of ArgumentParser, after sysexits.h.
enum CommandExit {
    /// Something that is needed doesn't answer.
    static let unavailable = ExitCode(69)
    /// A setting can't be used.
    static let configuration = ExitCode(78)

    /// Prints an error as people read it and gives the code to end with.
    static func failing(_ code: ExitCode, _ error: some Error) -> ExitCode {
        FileHandle.standardError.write(Data("error: \(error)\n".utf8))
        return code
    }
}
