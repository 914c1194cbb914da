/// The members of a JSON object, in the order they were written.
///
/// Configs have a handful of members, which are found faster one after the other than by hashing, and take a third of a
/// dictionary's memory. Objects with many, which a hostile document may have, get an index.
public struct JSONObject: Sendable {
    private typealias Member = (key: String, value: JSONValue)

    /// The most members that are searched one after the other.
    private static let longestSearch = 16

    private var list: [Member] = []
    /// Where each key stands in the list; nil while the list is short.
    private var index: [ExactText: Int]?

    /// An object without members.
    public init() {}

    /// The keys, in the order they were first set.
    public var keys: [String] { list.map(\.key) }

    /// How many members there are.
    public var count: Int { list.count }

    /// Whether there is no member.
    public var isEmpty: Bool { list.isEmpty }

    /// The members, in the order their keys were first set.
    public var members: [(key: String, value: JSONValue)] { list }

    /// The value of a key. Setting a new key appends it, setting nil removes it.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { list[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): list[position].value = value
            case (let position?, nil):
                list.remove(at: position)
                index = nil
                makeIndexIfLong()
            case (nil, let value?):
                list.append((key, value))
                if index == nil { makeIndexIfLong() } else { index?[ExactText(key)] = list.count - 1 }
            case (nil, nil): break
            }
        }
    }

    private func position(of key: String) -> Int? {
        if let index { return index[ExactText(key)] }
        let exact = ExactText(key)
        return list.firstIndex { ExactText($0.key) == exact }
    }

    private mutating func makeIndexIfLong() {
        guard list.count > Self.longestSearch else { return }
        var positions = [ExactText: Int](minimumCapacity: list.count + 1)
        for (position, member) in list.enumerated() { positions[ExactText(member.key)] = position }
        index = positions
    }
}

extension JSONObject: Hashable {
    /// Whether both hold the same members, in whatever order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        // A copy of the other, which is all that is compared where nothing has changed.
        let isCopy = left.list.withUnsafeBufferPointer { one in
            right.list.withUnsafeBufferPointer { other in one.baseAddress == other.baseAddress }
        }
        return isCopy || left.list.allSatisfy { right[$0.key] == $0.value }
    }

    /// Hashes the members, whatever their order.
    public func hash(into hasher: inout Hasher) {
        var all = 0
        for (key, value) in list {
            var member = Hasher()
            member.combine(ExactText(key))
            member.combine(value)
            all ^= member.finalize()
        }
        hasher.combine(all)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// An object of these members; of a key that comes twice the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init()
        for (key, value) in elements { self[key] = value }
    }
}
