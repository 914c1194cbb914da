/// A path inside an archive that is safe to create below any directory.
///
/// It is relative, valid UTF-8, has no empty, `.` or `..` component, no backslash, no NUL and no drive letter.
struct EntryPath: Hashable, Sendable {
    /// The longest name of one file that Linux file systems take.
    static let maxComponentBytes = 255

    let text: String

    /// Normalises `name`; nil for the archive's root itself (`.`, `./`).
    static func normalise(_ name: [UInt8], limits: ArchiveLimits) throws(ArchiveError) -> EntryPath? {
        func refuse(_ why: String) -> ArchiveError { ArchiveError(.unsafeEntry, entry: name, why) }

        guard !name.isEmpty else { throw refuse("the name is empty") }
        guard name.count <= limits.maxPathBytes else {
            throw refuse("the path has \(name.count) bytes; up to \(limits.maxPathBytes) are allowed")
        }
        guard !name.contains(0) else { throw refuse("the name contains a NUL byte") }
        guard String(validating: name, as: UTF8.self) != nil else { throw refuse("the name is not valid UTF-8") }
        guard !name.contains(UInt8(ascii: "\\")) else {
            throw refuse("the name contains a backslash; components are separated by /")
        }
        guard name[0] != UInt8(ascii: "/") else {
            throw refuse("the path is absolute; only relative paths are allowed")
        }
        if name.count >= 2, name[1] == UInt8(ascii: ":"), isLetter(name[0]) {
            throw refuse("the path begins with a drive letter; only relative paths are allowed")
        }

        var kept: [ArraySlice<UInt8>] = []
        for component in name.split(separator: UInt8(ascii: "/")) where component != dot {
            guard component != dotDot else { throw refuse("the path contains ..") }
            guard component.count <= maxComponentBytes else {
                throw refuse("a component has \(component.count) bytes; up to \(maxComponentBytes) are allowed")
            }
            kept.append(component)
        }
        guard kept.count <= limits.maxDepth else {
            throw refuse("the path is \(kept.count) levels deep; up to \(limits.maxDepth) are allowed")
        }
        guard !kept.isEmpty else { return nil }
        return EntryPath(text: String(decoding: Array(kept.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self))
    }

    var components: [Substring] { text.split(separator: "/") }
    var depth: Int { components.count }

    /// The directory it lies in; nil at the top.
    var parent: EntryPath? {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return EntryPath(text: String(text[..<slash]))
    }
}

private let dot: ArraySlice<UInt8> = [UInt8(ascii: ".")]
private let dotDot: ArraySlice<UInt8> = [UInt8(ascii: "."), UInt8(ascii: ".")]

private func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

extension EntryPath {
    /// Normalises the target of a symbolic link at this path, and refuses one that leaves the root.
    ///
    /// `..` is allowed at the beginning only. A link's own parents are real directories (`EntryLedger` sees to it), so climbing
    /// ends in a real directory inside; `..` after a name would climb from wherever that name, possibly a link, leads.
    func linkTarget(_ raw: [UInt8], limits: ArchiveLimits) throws(ArchiveError) -> String {
        func refuse(_ why: String) -> ArchiveError {
            ArchiveError(.unsafeEntry, entry: text, "symbolic link to \"\(printable(raw))\": \(why)")
        }
        let allowed = "only relative targets inside the archive are allowed"
        guard !raw.isEmpty else { throw refuse("the target is empty") }
        guard raw.count <= limits.maxPathBytes else {
            throw refuse("the target has more than \(limits.maxPathBytes) bytes")
        }
        guard !raw.contains(0), String(validating: raw, as: UTF8.self) != nil else {
            throw refuse("the target is not valid UTF-8 text")
        }
        guard !raw.contains(UInt8(ascii: "\\")) else { throw refuse("the target contains a backslash") }
        guard raw[0] != UInt8(ascii: "/") else { throw refuse("the target is absolute; \(allowed)") }

        var climbed = 0
        var kept: [ArraySlice<UInt8>] = []
        for component in raw.split(separator: UInt8(ascii: "/")) where component != dot {
            guard component == dotDot else {
                kept.append(component)
                continue
            }
            guard kept.isEmpty else { throw refuse("the target has .. after a name; \(allowed)") }
            climbed += 1
        }
        guard climbed < depth else { throw refuse("the target leaves the root; \(allowed)") }
        let parts = Array(repeating: dotDot, count: climbed) + kept
        guard !parts.isEmpty else { return "." }
        return String(decoding: Array(parts.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
    }
}
