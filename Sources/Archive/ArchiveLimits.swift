/// Bounds that an archive must keep to, as protection from bombs.
public struct ArchiveLimits: Sendable, Hashable {
    /// The most entries written, directories that are only implied by a path included.
    public var maxEntries: Int
    /// The most bytes of content in all files together.
    public var maxTotalBytes: Int64
    /// The most bytes of content in one file.
    public var maxFileBytes: Int64
    /// How many times larger than the zip its content may be, once it is beyond `ratioFloorBytes`.
    public var maxRatio: Int64
    /// Content up to this many bytes may have any ratio: text full of repetitions compresses well.
    public var ratioFloorBytes: Int64
    /// The most bytes in one path.
    public var maxPathBytes: Int
    /// The most components in one path.
    public var maxDepth: Int

    /// Limits that real bot code with its dependencies stays well within.
    public init(
        maxEntries: Int = 20_000,
        maxTotalBytes: Int64 = 1 << 30,
        maxFileBytes: Int64 = 512 << 20,
        maxRatio: Int64 = 200,
        ratioFloorBytes: Int64 = 16 << 20,
        maxPathBytes: Int = 1024,
        maxDepth: Int = 64
    ) {
        self.maxEntries = maxEntries
        self.maxTotalBytes = maxTotalBytes
        self.maxFileBytes = maxFileBytes
        self.maxRatio = maxRatio
        self.ratioFloorBytes = ratioFloorBytes
        self.maxPathBytes = maxPathBytes
        self.maxDepth = maxDepth
    }
}
