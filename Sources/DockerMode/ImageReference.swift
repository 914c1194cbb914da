/// An image's name taken apart as `POST /images/create` wants it.
struct ImageReference: Sendable, Hashable {
    /// Registry and repository, with the digest where there is one.
    let name: String
    /// The tag; empty beside a digest.
    let tag: String

    /// Without a tag the engine would pull all tags there are: `latest` is meant.
    init(_ text: String) {
        if text.contains("@") {
            name = text
            tag = ""
            return
        }
        // A colon before the last slash belongs to a registry's port.
        let afterSlash = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
        if let colon = text[afterSlash...].firstIndex(of: ":") {
            name = String(text[..<colon])
            tag = String(text[text.index(after: colon)...])
        } else {
            name = text
            tag = "latest"
        }
    }
}
