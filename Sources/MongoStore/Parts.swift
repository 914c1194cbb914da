/// How much of a collection goes into one command: MongoDB takes 100,000 writes and
/// 16 MiB, but a slow one is to be done with it well within a socket's timeout.
enum PartLimit {
    static let count = 500
    static let bytes = 4 * 1024 * 1024
}

extension Array {
    /// The elements in parts that each fit into a command.
    /// - Parameter bytes: the size of one.
    func inParts(bytes: (Element) -> Int) -> [ArraySlice<Element>] {
        var parts: [ArraySlice<Element>] = []
        var (start, size) = (0, 0)
        for index in indices {
            let next = bytes(self[index])
            if index > start, index - start >= PartLimit.count || size + next > PartLimit.bytes {
                parts.append(self[start..<index])
                (start, size) = (index, 0)
            }
            size += next
        }
        if start < count { parts.append(self[start...]) }
        return parts
    }
}
