import Glibc

/// The file a bot's ``SpoolState`` is in: two slots, of which the one with the older content is written over. Dying at that
/// leaves the other. Both are made beforehand, so writing works on a full disk too.
struct StateFile {
    static let slotSize = 8192
    private static let headerSize = 8

    let path: String

    /// The newest state; nil when there is no file or no whole state in it.
    func read() throws(LogsError) -> SpoolState? {
        guard let bytes = try SpoolFile.read(path) else { return nil }
        let slots = [0, Self.slotSize].compactMap { Self.state(in: bytes, at: $0) }
        return slots.max { $0.sequence < $1.sequence }
    }

    /// Makes the file with all the room it will ever need.
    func make(_ state: SpoolState) throws(LogsError) {
        try SpoolFile.with(path, O_RDWR | O_CREAT) { descriptor throws(LogsError) in
            let room = [UInt8](repeating: 0, count: 2 * Self.slotSize)
            try SpoolFile.write(room, at: 0, descriptor, path)
        }
        try write(state)
    }

    /// Writes a state, whose sequence number says which slot it goes to.
    /// - Parameter durably: whether it must outlast a loss of power.
    func write(_ state: SpoolState, durably: Bool = false) throws(LogsError) {
        let content = state.encoded
        guard content.count <= Self.slotSize - Self.headerSize else {
            throw LogsError(
                .spoolUnusable,
                "the state of \(path) has \(content.count) bytes, too many",
                isRetryable: false
            )
        }
        var writer = ByteWriter()
        writer.add(UInt32(content.count))
        writer.add(Checksum.of(content[...]))
        let bytes = writer.bytes + content
        try SpoolFile.with(path, O_WRONLY) { descriptor throws(LogsError) in
            try SpoolFile.write(bytes, at: state.sequence % 2 == 0 ? 0 : Self.slotSize, descriptor, path)
            guard !durably || fdatasync(descriptor) == 0 else { throw .system("can't write to", path, errno) }
        }
    }

    private static func state(in bytes: [UInt8], at start: Int) -> SpoolState? {
        guard bytes.count >= start + headerSize else { return nil }
        var reader = ByteReader(bytes[start..<(start + headerSize)])
        guard let length = reader.number(UInt32.self), let checksum = reader.number(UInt32.self),
            length <= slotSize - headerSize, bytes.count >= start + headerSize + Int(length)
        else { return nil }
        let content = bytes[(start + headerSize)..<(start + headerSize + Int(length))]
        guard Checksum.of(content) == checksum else { return nil }
        return SpoolState(content)
    }
}
