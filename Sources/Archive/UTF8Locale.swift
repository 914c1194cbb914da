import Glibc

/// Runs `body` with a UTF-8 locale on this thread alone.
///
/// libarchive 3.6 converts names through the current locale: in the C locale it loses non-ASCII names on reading and crashes
/// on writing them as pax. `setlocale` would change every thread of the process.
func withUTF8Locale<Result: ~Copyable>(
    _ body: () throws(ArchiveError) -> Result
) throws(ArchiveError) -> Result {
    let locale = try makeLocale()
    let previous = uselocale(locale)
    defer {
        uselocale(previous)
        freelocale(locale)
    }
    return try body()
}

private func makeLocale() throws(ArchiveError) -> locale_t {
    let names = ["C.UTF-8", "en_US.UTF-8"]
    for name in names {
        // LC_CTYPE_MASK is a macro with a shift, which Swift doesn't import: 1 << LC_CTYPE.
        if let locale = newlocale(1 << LC_CTYPE, name, nil) { return locale }
    }
    throw ArchiveError(.unsupported, "the system has no UTF-8 locale; one of \(names) is needed")
}
