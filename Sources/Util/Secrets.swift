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
        let variants = [value, jsonEscaped, jsonEscaped.replacingSlashes()] + percentEncodings(of: value)
        forms.withLock { forms in
            for variant in variants {
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
            if let candidates = forms[byte] {
                for form in candidates where bytes[index...].starts(with: form) {
                    if index > coveredEnd || !hasMasked { kept.append(contentsOf: Self.mask.utf8) }
                    coveredEnd = max(coveredEnd, index + form.count)
                    hasMasked = true
                }
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

/// Percent-encodings of a value as URL writers make them: they differ in the characters they leave and in case.
private func percentEncodings(of value: String) -> [String] {
    let leftAlone: [Set<Unicode.Scalar>] = [
        [], Set("!$&'()*+,;=:@/?".unicodeScalars), Set("!$&'()*+,;=".unicodeScalars),
    ]
    return leftAlone.flatMap { extra in
        [true, false].map { isUppercase in
            value.utf8.map { byte in
                let scalar = Unicode.Scalar(byte)
                let isUnreserved =
                    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                    || "-._~".unicodeScalars.contains(scalar)
                if isUnreserved || extra.contains(scalar) { return String(scalar) }
                let digits = hexadecimal(UInt32(byte), digits: 2)
                return "%" + (isUppercase ? digits.uppercased() : digits)
            }.joined()
        }
    }
}
