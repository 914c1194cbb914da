/// Checks an entrypoint as it stands in a custom bot's `entrypoints.bot`.
///
/// Any name that a file in `/bot` can have is fine, with spaces, quotes, dashes or shell characters: the scripts treat
/// it as data.
///
/// - Parameters:
///   - path: the entrypoint, from outside.
///   - kind: how it will be started.
/// - Throws: an error that names what is wrong and what is allowed.
public func validateEntrypoint(_ path: String, kind: EntrypointKind) throws(EntrypointError) {
    func refusal(_ code: EntrypointError.Code, _ problem: String) -> EntrypointError {
        EntrypointError(code: code, message: "entrypoint \(quoted(path)) \(problem); allowed is \(allowed(kind))")
    }

    if path.isEmpty { throw refusal(.empty, "is empty") }
    if path.utf8.count > maximumPathBytes { throw refusal(.tooLong, "has more than \(maximumPathBytes) bytes") }
    if path.unicodeScalars.contains(where: isControl) { throw refusal(.controlCharacter, "has a control character") }

    let (file, className) = kind == .jvm ? splitJar(path) : (path, nil)
    let components = file.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    if file.unicodeScalars.first == "/" { throw refusal(.absolute, "is an absolute path") }
    if components.contains("..") { throw refusal(.leavesDirectory, "has a '..'") }
    guard let last = components.last, last != "", last != "." else { throw refusal(.directory, "names a directory") }
    if components.contains(where: { $0.utf8.count > maximumNameBytes }) {
        throw refusal(.tooLong, "has a name of more than \(maximumNameBytes) bytes")
    }
    if let suffix = requiredSuffix(kind), !last.hasSuffix(suffix) || last == suffix {
        throw refusal(.wrongType, "is no \(suffix) file")
    }
    if let className, !isClassName(className) { throw refusal(.badClassName, "has no class name after the ':'") }
}

/// Linux' PATH_MAX is 4096 with the NUL and the code's directory; names are limited by NAME_MAX.
private let maximumPathBytes = 1024
private let maximumNameBytes = 255

private func requiredSuffix(_ kind: EntrypointKind) -> String? {
    switch kind {
    case .dotnet: ".dll"
    case .jvm: ".jar"
    case .python, .node, .native: nil
    }
}

private func allowed(_ kind: EntrypointKind) -> String {
    let path =
        "of at most \(maximumPathBytes) bytes, relative to the archive's root, without '..' and control characters"
    return switch kind {
    case .python: "the path of a Python file, such as main.py, \(path)"
    case .node: "the path of a JavaScript file, such as main.js, \(path)"
    case .native: "the path of an executable, such as build/bot, \(path)"
    case .dotnet: "the path of a .dll file, such as publish/Bot.dll, \(path)"
    case .jvm: "X.jar or X.jar:MainClass, where X.jar is the path of a JAR without ':', \(path)"
    }
}

/// The same split as in the start script: at the first colon, which could not stand in a class path either.
private func splitJar(_ path: String) -> (jar: String, className: String?) {
    guard let colon = path.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (path, nil) }
    return (String(path[..<colon]), String(path[path.utf8.index(after: colon)...]))
}

/// A Java binary name: identifiers with dots between. Letters beyond ASCII are Java's to judge.
private func isClassName(_ name: String) -> Bool {
    name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
        guard let first = part.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return part.allSatisfy(isIdentifierByte)
    }
}

private func isIdentifierByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...: true
    default: false
    }
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    // U+2028 and U+2029 break lines in logs and editors as control characters do.
    scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
}

/// The text as it may stand in an error or a log line: bounded, on one line.
private func quoted(_ path: String) -> String {
    let bound = 200
    let shown = path.unicodeScalars.prefix(bound).map { isControl($0) ? $0.escaped(asASCII: true) : String($0) }
    return "'" + shown.joined() + (path.unicodeScalars.count > bound ? "…'" : "'")
}
