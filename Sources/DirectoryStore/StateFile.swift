import Control
import Crypto
import Glibc
import Model
import Util

/// The names of the files with what is kept of schedules, and how one is written.
///
/// An id is data and may be any text, so a name carries a readable piece of it and a hash of it all.
enum StateFile {
    /// The folder they lie in, relative to the directory of the store.
    static let folder = "\(BotDirectory.ownFolder)/schedules"
    /// The most bytes one may have; a run takes about 500.
    static let longest = 16 << 20

    private static let ending = ".json"
    private static let temporaryEnding = ".tmp"
    private static let lockEnding = ".lock"

    /// The path of a schedule's file, relative to the directory of the store.
    static func path(of id: BotID) -> String { "\(folder)/\(name(of: id))" }

    /// The path of the lock for a schedule's file.
    static func lock(of id: BotID) -> String { "\(folder)/\(stem(of: id))\(lockEnding)" }

    static func name(of id: BotID) -> String { stem(of: id) + ending }

    static func isState(_ name: String) -> Bool { name.hasSuffix(ending) }

    static func isTemporary(_ name: String) -> Bool { name.hasSuffix(temporaryEnding) }

    /// A path beside a file that nobody else writes.
    static func temporary(for file: String) -> String {
        "\(file).\(String(UInt64.random(in: .min ... .max), radix: 16))\(temporaryEnding)"
    }

    private static func stem(of id: BotID) -> String {
        let digest = SHA256.hash(data: Array(id.text.utf8)).prefix(16).hexText
        let piece = readablePiece(of: id.text)
        return piece.isEmpty ? digest : "\(piece)-\(digest)"
    }

    /// At most 24 characters to recognise it by.
    private static func readablePiece(of text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            guard result.utf8.count < 24 else { break }
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                if !result.isEmpty, !result.hasSuffix("-") { result += "-" }
            }
        }
        return result.hasSuffix("-") ? String(result.dropLast()) : result
    }

    /// Puts a text in the place of a file: whoever reads it, even after a crash, finds the old one or the new one, whole.
    /// The folder must be written out to the disk afterwards (``synchronize(_:in:)``).
    static func replace(_ file: String, in root: String, with text: String, holding lock: borrowing StateLock)
        throws(StateProblem)
    {
        let temporary = temporary(for: file)
        let descriptor = open("\(root)/\(temporary)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .system("can't be written", file, errno) }
        do throws(StateProblem) {
            do throws(StateProblem) { try write(text, to: descriptor, file) } catch {
                close(descriptor)
                throw error
            }
            guard close(descriptor) == 0 else { throw .system("can't be written", file, errno) }
            guard lock.isHeld else {
                throw StateProblem("had its lock removed while it was written", file: file, code: .unavailable)
            }
            guard rename("\(root)/\(temporary)", "\(root)/\(file)") == 0 else {
                throw .system("can't be replaced", file, errno)
            }
        } catch {
            unlink("\(root)/\(temporary)")
            throw error
        }
    }

    private static func write(_ text: String, to descriptor: Int32, _ file: String) throws(StateProblem) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("can't be written", file, errno) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw .system("can't be written to the disk", file, errno) }
    }

    /// Writes a folder's names out to the disk.
    static func synchronize(_ folder: String, in root: String) throws(StateProblem) {
        let descriptor = open("\(root)/\(folder)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("can't be written to the disk", folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("can't be written to the disk", folder, errno) }
    }
}
