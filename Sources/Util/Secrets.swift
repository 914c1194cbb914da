import Synchronization

/// Values that must never be written anywhere: once registered, they are masked wherever they occur.
///
/// Each value is also found in percent-encoded form (inside URLs) and as JSON escapes it. Values shorter than four
/// characters are ignored: masking them would tear holes into ordinary words and thereby give them away.
public final class Secrets: Sendable {
    /// What stands in the place of a secret.
    public static let mask = "***"
    /// The least number of characters of a value that is masked.
    public static let minimumLength = 4

    /// The forms to look for, by their first byte.
    private let forms = Mutex<[UInt8: Set<[UInt8]>]>([:])

    /// An empty registry.
    public init() {}

    /// Has a value masked from now on; values shorter than ``minimumLength`` are ignored.
    public func register(_ value: String) {
        guard value.count >= Self.minimumLength else { return }
        let jsonEscaped = value.unicodeScalars.map(\.escapedInQuotes).joined()
        forms.withLock { forms in
            for variant in [value, jsonEscaped, jsonEscaped.replacingSlashes()] {
                let bytes = Array(variant.utf8)
                if let first = bytes.first { forms[first, default: []].insert(bytes) }
            }
        }
    }

    /// The text with registered values masked, and with the credentials of the URLs in it (see ``Redaction``).
    public func redact(_ text: String) -> String {
        Redaction.urls(in: maskRegistered(in: text))
    }

    private func maskRegistered(in text: String) -> String {
        let forms = forms.withLock { $0 }
        guard !forms.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var kept: [UInt8] = []
        var hasMasked = false
        // Matches may overlap or touch: whatever any of them covers goes, and a covered stretch becomes one mask.
        var coveredEnd = 0
        for (index, byte) in bytes.enumerated() {
            // What begins with "%" may begin with an encoded byte.
            let decoded = byte == 0x25 ? percentDecoded(bytes, at: index).flatMap { forms[$0] } : nil
            for form in [forms[byte], decoded].lazy.compactMap(\.self).joined() {
                guard let end = matchEnd(of: form, in: bytes, at: index) else { continue }
                if index > coveredEnd || !hasMasked { kept.append(contentsOf: Self.mask.utf8) }
                coveredEnd = max(coveredEnd, end)
                hasMasked = true
            }
            if index >= coveredEnd { kept.append(byte) }
        }
        return hasMasked ? String(decoding: kept, as: UTF8.self) : text
    }
}

extension String {
    /// JSON writers may escape slashes; both ways are common.
    fileprivate func replacingSlashes() -> String {
        split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")
    }
}

/// Where an occurrence of the form that begins at the index ends, plain or with any of its bytes percent-encoded.
private func matchEnd(of form: [UInt8], in bytes: [UInt8], at start: Int) -> Int? {
    if bytes[start...].starts(with: form) { return start + form.count }
    var index = start
    for expected in form {
        guard index < bytes.count else { return nil }
        if percentDecoded(bytes, at: index) == expected {
            index += 3
        } else if bytes[index] == expected {
            index += 1
        } else {
            return nil
        }
    }
    return index
}

/// The byte that "%XX" at the index stands for; nil when there is none.
private func percentDecoded(_ bytes: [UInt8], at index: Int) -> UInt8? {
    guard bytes[index] == 0x25, index + 2 < bytes.count else { return nil }
    return UInt8(String(decoding: bytes[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
}
