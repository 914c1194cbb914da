import CLinux

/// How the C library's allocator keeps memory.
enum MemoryAllocator {
    /// Has what was freed go back to the system.
    ///
    /// Without this, glibc raises the size from which memory is mapped, and so given back at once, to that of the largest block
    /// ever freed: after a few of some megabytes (an object that grows, an archive) such blocks come from its heaps, of which it
    /// makes up to eight for each core, and what lies between them keeps them from shrinking. With 20 bots that was 20 MB in an
    /// hour.
    static func giveBack() {
        #if canImport(Glibc)
        _ = mallopt(M_MMAP_THRESHOLD, 128 << 10)
        _ = mallopt(M_ARENA_MAX, 2)
        #endif
    }
}
