import CArchive
import Glibc

/// The owner of a libarchive writer of pax tars that are the same bytes for the same entries.
///
/// To be used on one thread, within `UTF8Locale.use`.
struct TarWriter: ~Copyable {
    /// All entries have this time: noon of 1 January 1980, UTC. Zip's own calendar begins that day, and tools that make zips
    /// of what was unpacked refuse earlier times.
    static let modificationTime = 315_576_000

    private let handle: OpaquePointer
    private let entry: OpaquePointer
    private let sink: TarSink

    /// Writes into `sink`, whose file must stay open until `finish`.
    static func open(_ sink: TarSink) throws(ArchiveError) -> TarWriter {
        let writer = try TarWriter(sink: sink)
        try writer.require(archive_write_set_format_pax_restricted(writer.handle), beginning)
        try writer.require(archive_write_set_bytes_per_block(writer.handle, 64 << 10), beginning)
        // 1: no padding up to a whole block at the end.
        try writer.require(archive_write_set_bytes_in_last_block(writer.handle, 1), beginning)
        let context = Unmanaged.passUnretained(sink).toOpaque()
        try writer.require(archive_write_open(writer.handle, context, nil, TarSink.callback, nil), beginning)
        return writer
    }

    private init(sink: TarSink) throws(ArchiveError) {
        guard let handle = archive_write_new() else { throw .noMemory }
        guard let entry = archive_entry_new() else {
            archive_write_free(handle)
            throw .noMemory
        }
        self.handle = handle
        self.entry = entry
        self.sink = sink
    }

    deinit {
        // Freeing completes the tar, up to the announced size of the last file: pointless work after an error, so it is made
        // to fail at once. `archive_write_fail` would do that too, but leaks the block (3.6.2).
        sink.isClosed = true
        archive_entry_free(entry)
        archive_write_free(handle)
    }

    mutating func addDirectory(_ path: EntryPath, owner: FileOwnership) throws(ArchiveError) {
        try begin(path, type: carchive_type_directory, mode: 0o755, size: 0, owner: owner)
    }

    mutating func addLink(_ path: EntryPath, target: String, owner: FileOwnership) throws(ArchiveError) {
        try begin(path, type: carchive_type_symlink, mode: 0o777, size: 0, owner: owner, target: target)
    }

    /// Begins a file of exactly `size` bytes, which `write` must bring next.
    mutating func beginFile(_ path: EntryPath, mode: UInt16, size: Int64, owner: FileOwnership) throws(ArchiveError) {
        try begin(path, type: carchive_type_regular, mode: UInt32(mode & 0o777), size: size, owner: owner)
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer, path: EntryPath) throws(ArchiveError) {
        guard !bytes.isEmpty else { return }
        let count = archive_write_data(handle, bytes.baseAddress, bytes.count)
        guard count >= 0 else { throw failure("can't write \"\(printable(Array(path.text.utf8)))\"") }
        guard count == bytes.count else {
            throw ArchiveError(.corrupt, entry: path.text, "has more bytes than announced")
        }
    }

    mutating func finish() throws(ArchiveError) {
        try require(archive_write_close(handle), "can't complete the tar")
    }

    private func begin(
        _ path: EntryPath,
        type: UInt32,
        mode: UInt32,
        size: Int64,
        owner: FileOwnership,
        target: String? = nil
    ) throws(ArchiveError) {
        archive_entry_clear(entry)
        archive_entry_copy_pathname(entry, path.text)
        archive_entry_set_filetype(entry, type)
        archive_entry_set_perm(entry, mode)
        archive_entry_set_size(entry, size)
        archive_entry_set_uid(entry, Int64(owner.uid))
        archive_entry_set_gid(entry, Int64(owner.gid))
        archive_entry_set_mtime(entry, Self.modificationTime, 0)
        if let target { archive_entry_copy_symlink(entry, target) }
        try require(archive_write_header(handle, entry), "can't write \"\(printable(Array(path.text.utf8)))\"")
    }

    private func require(_ status: Int32, _ doing: String) throws(ArchiveError) {
        guard status == ARCHIVE_OK else { throw failure(doing) }
    }

    private func failure(_ doing: String) -> ArchiveError {
        if let number = sink.failure { return ArchiveError(.io, doing, errno: number) }
        let text = archive_error_string(handle).map { String(cString: $0) } ?? "unknown reason"
        return ArchiveError(.io, "\(doing): \(printable(Array(text.utf8)))")
    }
}

private let beginning = "can't begin the tar"
