import Glibc

/// Runs `body` with a UTF-8 locale on this thread alone.
///
/// libarchive 3.6 converts names through the current locale: in the C locale it loses non-ASCII names on reading and crashes
/// on writing them as pax. `setlocale` would change every thread of the process.
func withUTF8Locale<Result: ~Copyable>(
    _ body: () throws(ArchiveError) -> Result
) throws(ArchiveError) -> Result {
    let scope = try ThreadLocale()
    defer { scope.keep() }
    return try body()
}

/// The owner of a locale in use by the thread that made it; puts the previous one back.
private struct ThreadLocale: ~Copyable {
    private let locale: locale_t
    private let previous: locale_t?

    init() throws(ArchiveError) {
        let names = ["C.UTF-8", "en_US.UTF-8"]
        // LC_CTYPE_MASK is a macro with a shift, which Swift doesn't import: 1 << LC_CTYPE.
        guard let made = names.lazy.compactMap({ newlocale(1 << LC_CTYPE, $0, nil) }).first else {
            throw ArchiveError(.unsupported, "the system has no UTF-8 locale; one of \(names) is needed")
        }
        locale = made
        previous = uselocale(made)
    }

    /// Marks where the locale's use ends, so that it isn't given back earlier.
    borrowing func keep() {}

    deinit {
        uselocale(previous)
        freelocale(locale)
    }
}
