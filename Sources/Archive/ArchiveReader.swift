import CArchive
import Glibc

/// The owner of a libarchive reader. To be used on one thread, within `UTF8Locale.use`.
struct ArchiveReader: ~Copyable {
    enum Kind { case regular, directory, symlink, hardLink, other(mode: UInt32) }

    struct Header {
        let name: [UInt8]
        let kind: Kind
        let mode: UInt16
        let size: UInt64
        /// Where a link points; empty for everything else.
        let target: [UInt8]
    }

    private let handle: OpaquePointer
    /// The size of a tar; for a zip nil, since there what was cut off shows in its directory.
    private let tarBytes: UInt64?

    /// Reads the zip in `file`, which must stay open as long as the reader is used.
    static func open(zip file: borrowing InputFile) throws(ArchiveError) -> ArchiveReader {
        let reader = try ArchiveReader(tarBytes: nil)
        // The seeking reader goes by the central directory; the streaming one would believe the local headers.
        try reader.require(archive_read_support_format_zip_seekable(reader.handle))
        try reader.require(archive_read_open_fd(reader.handle, file.descriptor, 64 << 10))
        return reader
    }

    /// Reads the tar in `file`, which must stay open as long as the reader is used.
    static func open(tar file: borrowing InputFile) throws(ArchiveError) -> ArchiveReader {
        let reader = try ArchiveReader(tarBytes: file.size)
        try reader.require(archive_read_support_format_tar(reader.handle))
        try reader.require(archive_read_open_fd(reader.handle, file.descriptor, 64 << 10))
        return reader
    }

    /// Reads a tar in memory, which must stay where it is as long as the reader is used.
    static func open(tar bytes: UnsafeRawBufferPointer) throws(ArchiveError) -> ArchiveReader {
        let reader = try ArchiveReader(tarBytes: UInt64(bytes.count))
        try reader.require(archive_read_support_format_tar(reader.handle))
        try reader.require(archive_read_open_memory(reader.handle, bytes.baseAddress, bytes.count))
        return reader
    }

    /// Reads what is in the gzip `file`, as one entry; the file must stay open as long as the reader is used.
    static func open(gzip file: borrowing InputFile) throws(ArchiveError) -> ArchiveReader {
        let reader = try ArchiveReader(tarBytes: nil)
        try reader.require(archive_read_support_filter_gzip(reader.handle))
        try reader.require(archive_read_support_format_raw(reader.handle))
        try reader.require(archive_read_open_fd(reader.handle, file.descriptor, 64 << 10))
        return reader
    }

    /// Goes to the only entry of what is no archive.
    func beginStream() throws(ArchiveError) {
        var found: OpaquePointer?
        guard archive_read_next_header(handle, &found) == ARCHIVE_OK else { throw failure(entry: nil) }
    }

    private init(tarBytes: UInt64?) throws(ArchiveError) {
        guard let handle = archive_read_new() else { throw .noMemory }
        self.handle = handle
        self.tarBytes = tarBytes
    }

    deinit { archive_read_free(handle) }

    private func require(_ status: Int32) throws(ArchiveError) {
        guard status == ARCHIVE_OK else { throw failure(entry: nil) }
    }

    /// The next entry, or nil after the last. `announced` is its name for errors, where it is known beforehand.
    func next(announced: [UInt8]? = nil) throws(ArchiveError) -> Header? {
        guard !Task.isCancelled else { throw ArchiveError(.cancelled, "cancelled") }
        var found: OpaquePointer?
        let status = archive_read_next_header(handle, &found)
        if status == ARCHIVE_EOF { return nil }
        // A warning here means a name that can't be represented, or headers that contradict each other.
        guard status == ARCHIVE_OK, let found else { throw failure(entry: announced) }
        let name = bytes(archive_entry_pathname(found))
        let size = archive_entry_size(found)
        guard size >= 0 else { throw ArchiveError(.corrupt, entry: name, "has a negative size") }

        let mode = archive_entry_mode(found)
        let kind: Kind
        var target: [UInt8] = []
        if let link = archive_entry_hardlink(found) {
            (kind, target) = (.hardLink, bytes(link))
        } else {
            switch archive_entry_filetype(found) {
            case carchive_type_regular: kind = .regular
            case carchive_type_directory: kind = .directory
            case carchive_type_symlink: (kind, target) = (.symlink, bytes(archive_entry_symlink(found)))
            default: kind = .other(mode: mode)
            }
        }
        return Header(name: name, kind: kind, mode: UInt16(mode & 0o777), size: UInt64(size), target: target)
    }

    /// Fills `buffer` with content of the current entry; 0 at its end. Wrong checksums and sizes surface here.
    func read(into buffer: UnsafeMutableRawBufferPointer, entry: [UInt8]) throws(ArchiveError) -> Int {
        guard !Task.isCancelled else { throw ArchiveError(.cancelled, entry: entry, "cancelled") }
        let count = archive_read_data(handle, buffer.baseAddress, buffer.count)
        guard count >= 0 else { throw failure(entry: entry) }
        return count
    }

    /// Where the header that was asked for last begins.
    var headerPosition: UInt64 { UInt64(clamping: archive_read_header_position(handle)) }

    private func failure(entry: [UInt8]?) -> ArchiveError {
        let text = printable(bytes(archive_error_string(handle)))
        let number = archive_errno(handle)
        if [EIO, ENOMEM, EMFILE, ENFILE, EINTR, ESTALE, EBADF].contains(number) {
            return ArchiveError(.io, entry: entry, "can't read the archive", errno: number)
        }
        // A tar is read in blocks of 512 bytes; a part of one is left over where it was cut.
        let read = UInt64(clamping: archive_filter_bytes(handle, 0))
        let isCut = tarBytes.map { $0 < read + 512 } ?? false
        return ArchiveError(isCut ? .truncated : .corrupt, entry: entry, text.isEmpty ? "can't be read" : text)
    }
}

private func bytes(_ text: UnsafePointer<CChar>?) -> [UInt8] {
    guard let text else { return [] }
    return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
}
