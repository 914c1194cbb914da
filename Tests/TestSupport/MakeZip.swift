/// An entry of a zip archive to be made, honest or not.
public struct ZipEntry: Sendable {
    /// The name's bytes, written as they are: `..`, a leading `/`, a backslash or no UTF-8 at all are possible.
    public var name: [UInt8]
    /// The contents; of a symlink its target.
    public var contents: [UInt8]
    /// The Unix mode with its type bits, as `st_mode` has it; nil for an archive of a system without modes.
    public var mode: UInt16?
    /// The size that the archive announces instead of the true one.
    public var announcedSize: UInt32?
    /// The checksum that the archive announces instead of the true one.
    public var announcedChecksum: UInt32?

    /// An entry with any name, contents and mode.
    public init(name: [UInt8], contents: [UInt8], mode: UInt16?) {
        self.name = name
        self.contents = contents
        self.mode = mode
    }

    /// A file; without `executable` with mode 0644.
    public static func file(_ name: String, _ contents: String, executable: Bool = false) -> ZipEntry {
        ZipEntry(name: Array(name.utf8), contents: Array(contents.utf8), mode: 0o100000 | (executable ? 0o755 : 0o644))
    }

    /// A file of any bytes.
    public static func file(_ name: String, bytes: [UInt8], mode: UInt16 = 0o644) -> ZipEntry {
        ZipEntry(name: Array(name.utf8), contents: bytes, mode: 0o100000 | mode)
    }

    /// A file as archivers write it that know no modes (Windows, Python's `writestr`).
    public static func fileWithoutMode(_ name: String, _ contents: String) -> ZipEntry {
        ZipEntry(name: Array(name.utf8), contents: Array(contents.utf8), mode: nil)
    }

    /// A folder.
    public static func folder(_ name: String) -> ZipEntry {
        ZipEntry(name: Array((name.hasSuffix("/") ? name : name + "/").utf8), contents: [], mode: 0o040755)
    }

    /// A symbolic link.
    public static func symlink(_ name: String, to target: String) -> ZipEntry {
        ZipEntry(name: Array(name.utf8), contents: Array(target.utf8), mode: 0o120777)
    }

    /// A character device.
    public static func device(_ name: String) -> ZipEntry {
        ZipEntry(name: Array(name.utf8), contents: [], mode: 0o020666)
    }
}

/// Makes a zip archive of stored (uncompressed) entries, in their order, duplicates included.
///
/// After PKWARE's APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).
/// - Parameter entries: fewer than 65,536, each smaller than 4 GiB.
/// - Returns: the archive's bytes; the same entries give the same bytes.
public func makeZip(_ entries: [ZipEntry]) -> [UInt8] {
    var archive: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
        let offset = UInt32(archive.count)
        archive += little(UInt32(0x0403_4b50)) + shared(entry) + little(UInt16(0)) + entry.name + entry.contents
        // Version made by: the upper byte 3 says that the upper half of the external attributes is a Unix mode.
        directory += little(UInt32(0x0201_4b50)) + little(UInt16(entry.mode == nil ? 20 : 3 << 8 | 20)) + shared(entry)
        // Lengths of extra field and comment, disk, internal attributes; then the external ones.
        directory +=
            [UInt8](repeating: 0, count: 8) + little(UInt32(entry.mode ?? 0) << 16) + little(offset) + entry.name
    }
    let start = UInt32(archive.count)
    let count = little(UInt16(entries.count))
    archive += directory + little(UInt32(0x0605_4b50)) + little(UInt32(0)) + count + count
    return archive + little(UInt32(directory.count)) + little(start) + little(UInt16(0))
}

/// What both headers carry, from "version needed" to the name's length.
private func shared(_ entry: ZipEntry) -> [UInt8] {
    let size = entry.announcedSize ?? UInt32(entry.contents.count)
    let checksum = entry.announcedChecksum ?? CRC32.checksum(entry.contents)
    // Flag bit 11: the name is UTF-8. Time 0, date 1980-01-01.
    let start =
        little(UInt16(20)) + little(UInt16(1 << 11)) + little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0x21))
    return start + little(checksum) + little(size) + little(size) + little(UInt16(entry.name.count))
}

private func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
