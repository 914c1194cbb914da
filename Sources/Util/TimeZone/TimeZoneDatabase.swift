import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The zones of a folder of compiled time-zone files, each read once.
public final class TimeZoneDatabase: Sendable {
    /// The system's: the folder `TZDIR` or else `/usr/share/zoneinfo`.
    public static let system = TimeZoneDatabase(
        directory: getenv("TZDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
            ?? "/usr/share/zoneinfo"
    )

    /// The folder.
    public let directory: String

    /// Holds only zones that exist, so hostile names don't make it grow.
    private let known = Mutex<[String: TimeZoneRules]>([:])

    /// A zone's name is at most as long as this; the longest in use has 32 bytes.
    private static let longestName = 64
    /// The largest file today has 4 kB.
    private static let largestFile = 1 << 20

    /// A database in a folder; nothing is read yet.
    public init(directory: String) {
        self.directory = directory
    }

    /// The rules of a zone by its name in the database, such as "Europe/Berlin"; "UTC" needs no database.
    ///
    /// - Throws: ``CronError`` without a column: `unknownZone`, or `zonesUnavailable` when the folder is missing or the
    ///   zone's file can't be read.
    public func rules(named name: String) throws(CronError) -> TimeZoneRules {
        if name == "UTC" || name == "Etc/UTC" { return .utc }
        if let rules = known.withLock({ $0[name] }) { return rules }
        guard Self.isZoneName(name) else { throw Self.unknown(name) }
        let bytes = try read(name)
        let file: TimeZoneFile
        do {
            file = try TimeZoneFile(bytes)
        } catch {
            // The folder also holds lists and notes.
            guard bytes.starts(with: "TZif".utf8) else { throw Self.unknown(name) }
            throw CronError(
                .zonesUnavailable,
                "time zone \(name.quotedForError) can't be used: its file in \(directory) is broken, \(error.reason)"
            )
        }
        let rules = TimeZoneRules(name: name, initialOffset: file.initialOffset, changes: file.changes)
        return known.withLock { known in
            if let first = known[name] { return first }
            known[name] = rules
            return rules
        }
    }

    /// Whether the text may be a zone's name: parts of letters, digits and `_+-`, separated by slashes. That leaves no
    /// way out of the folder. What stands for the machine's own zone is none: it would differ from machine to machine.
    private static func isZoneName(_ name: String) -> Bool {
        guard name.utf8.count <= longestName, !["Local", "localtime", "posixrules"].contains(name) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                        true
                    default: false
                    }
                }
        }
    }

    private static func unknown(_ name: String) -> CronError {
        CronError(
            .unknownZone,
            "time zone \(name.quotedForError) is unknown: write a name of the time-zone database, such as UTC or "
                + "Europe/Berlin"
        )
    }

    private func read(_ name: String) throws(CronError) -> [UInt8] {
        // Not to wait for what is no file, should there be one.
        let descriptor = open("\(directory)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ENOENT || reason == ENOTDIR {
                guard access("\(directory)/.", F_OK) == 0 else { throw missing() }
                throw Self.unknown(name)
            }
            throw unreadable(name, reason)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable(name, errno) }
        // A folder ("Europe") is no zone.
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.largestFile else { throw Self.unknown(name) }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled, off_t(filled))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(name, errno)
            }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes.prefix(filled))
    }

    private func missing() -> CronError {
        CronError(
            .zonesUnavailable,
            "the time-zone database isn't in \(directory.quotedForError): install the package tzdata, or name its "
                + "folder in TZDIR"
        )
    }

    private func unreadable(_ name: String, _ reason: Int32) -> CronError {
        CronError(
            .zonesUnavailable,
            "time zone \(name.quotedForError) can't be read in \(directory.quotedForError): "
                + String(cString: strerror(reason))
        )
    }
}
