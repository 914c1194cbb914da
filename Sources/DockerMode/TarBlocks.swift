/// Writes the few folders and files of a prepared image as a tar (POSIX.1-1988 ustar).
///
/// Entries are given in order; a folder's own entry sets its mode, which is what a prepared image is made for.
struct TarBlocks {
    private(set) var bytes: [UInt8] = []

    /// A folder of root's.
    mutating func addDirectory(_ name: String, mode: Int) {
        addHeader(name + "/", mode: mode, size: 0, type: UInt8(ascii: "5"))
    }

    /// A file of root's.
    mutating func addFile(_ name: String, mode: Int, contents: String) {
        addHeader(name, mode: mode, size: contents.utf8.count, type: UInt8(ascii: "0"))
        bytes += contents.utf8
        bytes += repeatElement(0, count: (512 - contents.utf8.count % 512) % 512)
    }

    /// Two blocks of zeros end a tar.
    mutating func finish() {
        bytes += repeatElement(0, count: 1024)
    }

    private mutating func addHeader(_ name: String, mode: Int, size: Int, type: UInt8) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int, width: Int) {
            for (index, byte) in text.utf8.prefix(width).enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(name, at: 0, width: 100)
        put(octal(mode, digits: 7), at: 100, width: 7)
        put(octal(0, digits: 7), at: 108, width: 7)
        put(octal(0, digits: 7), at: 116, width: 7)
        put(octal(size, digits: 11), at: 124, width: 11)
        put(octal(0, digits: 11), at: 136, width: 11)
        // The checksum counts its own field as spaces.
        put("        ", at: 148, width: 8)
        header[156] = type
        put("ustar", at: 257, width: 5)
        put("00", at: 263, width: 2)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + "\0 ", at: 148, width: 8)
        bytes += header
    }
}
