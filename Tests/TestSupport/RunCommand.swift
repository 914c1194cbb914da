public import Foundation

/// What a command printed and how it ended.
public struct CommandResult: Sendable {
    /// How it ended.
    public let termination: Termination
    /// What it wrote to standard output.
    public let output: Data
    /// What it wrote to standard error.
    public let errors: Data

    /// Standard output as text; bytes that are no UTF-8 appear as replacement characters.
    public var text: String { String(decoding: output, as: UTF8.self) }
    /// Standard error as text.
    public var errorText: String { String(decoding: errors, as: UTF8.self) }
    /// Whether it exited with 0.
    public var isSuccess: Bool { termination == .exited(0) }
}

/// Runs a command to its end.
///
/// Its output goes to files: neither its amount nor a grandchild that keeps them open can block anybody.
/// - Parameters:
///   - command: the program, looked up in PATH, and its arguments.
///   - environment: added to this process's own; a nil value removes a variable.
///   - folder: the working folder.
///   - input: what it reads from standard input.
///   - limit: after this time it and its process group are killed.
/// - Returns: its output and how it ended, whatever its exit code.
/// - Throws: `FixtureError` when it can't be started or has not ended in time.
public func runCommand(
    _ command: [String],
    environment: [String: String?] = [:],
    folder: String? = nil,
    input: Data = Data(),
    within limit: Duration = .seconds(60)
) async throws -> CommandResult {
    let files = try TemporaryFolder()
    defer { files.remove() }
    try input.write(to: URL(fileURLWithPath: files.file("in")))
    let process = try ChildProcess(
        command,
        environment: environment,
        folder: folder,
        input: files.file("in"),
        output: files.file("out"),
        errors: files.file("err")
    )
    let termination = await process.ended(within: limit)
    if termination == nil { process.killGroup() }
    let output = try Data(contentsOf: URL(fileURLWithPath: files.file("out")))
    let errors = try Data(contentsOf: URL(fileURLWithPath: files.file("err")))
    guard let termination else {
        try Task.checkCancellation()
        let tail = String(decoding: (output + errors).suffix(2000), as: UTF8.self)
        throw FixtureError("\(command) has not ended within \(limit); it printed last:\n\(tail)")
    }
    return CommandResult(termination: termination, output: output, errors: errors)
}

/// Runs a command that must succeed.
/// - Returns: its standard output.
/// - Throws: `FixtureError` with what it printed when it did not exit with 0.
@discardableResult
public func requireCommand(
    _ command: [String],
    environment: [String: String?] = [:],
    folder: String? = nil,
    input: Data = Data(),
    within limit: Duration = .seconds(60)
) async throws -> String {
    let result = try await runCommand(command, environment: environment, folder: folder, input: input, within: limit)
    guard result.isSuccess else {
        throw FixtureError("\(command) ended with \(result.termination):\n\(result.text)\(result.errorText)")
    }
    return result.text
}
