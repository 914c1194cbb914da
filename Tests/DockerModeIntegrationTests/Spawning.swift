import Testing

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Starts a program.
func spawn(_ program: String, _ arguments: [String]) throws -> pid_t {
    var process = pid_t()
    var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    pointers.append(nil)
    let error = posix_spawn(&process, program, nil, nil, pointers, environ)
    try #require(error == 0, "\(program): error \(error)")
    return process
}

/// Runs a shell command to its end.
func shell(_ command: String) throws {
    let process = try spawn("/bin/sh", ["-c", command])
    var status: Int32 = 0
    waitpid(process, &status, 0)
    try #require(status == 0, "\(command): status \(status)")
}

/// A new folder under `/tmp`.
func temporaryFolder(_ name: String) throws -> String {
    var template = Array("/tmp/the0-\(name)-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
