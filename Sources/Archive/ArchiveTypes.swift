/// The numeric owner written in a tar's entries; names of users and groups are left out.
public struct FileOwnership: Sendable, Hashable {
    /// The user.
    public var uid: UInt32
    /// The group.
    public var gid: UInt32

    /// The superuser.
    public static let root = FileOwnership(uid: 0, gid: 0)

    /// An owner by numbers.
    public init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

/// What a tar holds after it was written.
public struct ArchiveSummary: Sendable, Hashable {
    /// How many entries there are: files, links and directories, implied ones included.
    public internal(set) var entries = 0
    /// How many bytes of content all files have together.
    public internal(set) var bytes: Int64 = 0
    /// The normalised paths of all regular files, in the order of the tar.
    public internal(set) var files: [String] = []
}

/// One file of a tar that is made in memory.
public struct ArchiveFile: Sendable, Hashable {
    /// The relative path, with `/` between components.
    public var name: String
    /// The content.
    public var contents: [UInt8]
    /// The permission bits, kept as they are (a secret may be 0600); bits beyond `rwx` are dropped.
    public var mode: UInt16
    /// The owner.
    public var owner: FileOwnership

    /// A file of these bytes.
    public init(name: String, contents: [UInt8], mode: UInt16 = 0o644, owner: FileOwnership = .root) {
        self.name = name
        self.contents = contents
        self.mode = mode
        self.owner = owner
    }
}
