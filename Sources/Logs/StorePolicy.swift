/// When lines that wait in the spool are stored.
///
/// An addition costs a few requests, and a small object is even sent whole: so there should be something to add.
public struct StorePolicy: Sendable, Hashable {
    /// How long a line waits at most.
    public var age: Duration
    /// From how many bytes on lines don't wait.
    public var size: Int
    /// How long lines wait at most while an object is sent whole and there is little to add to it.
    public var ageWhileSmall: Duration
    /// Objects below this size are sent whole.
    public var smallObject: Int64
    /// How far apart a bot's additions are at least when its runs end one after the other.
    public var pause: Duration

    /// 30 s or 1 MiB; 2 to 5 minutes while objects are sent whole.
    public init(
        age: Duration = .seconds(30),
        size: Int = 1 << 20,
        ageWhileSmall: Duration = .seconds(120),
        smallObject: Int64 = 5 << 20,
        pause: Duration = .seconds(3)
    ) {
        self.age = age
        self.size = size
        self.ageWhileSmall = ageWhileSmall
        self.smallObject = smallObject
        self.pause = pause
    }

    /// How long after the first line that waits a bot's lines are due.
    /// - Parameters:
    ///   - bytes: how many bytes wait.
    ///   - object: the size of the day's object; nil while it isn't known.
    func wait(bytes: Int, object: Int64?) -> Duration {
        guard let object, object > 64 << 10, object < smallObject, Int64(bytes) < object / 4 else {
            return bytes >= size ? .zero : age
        }
        // Nine tenths of what is sent was there before: the larger it is, the rarer.
        return object < 1 << 20 ? ageWhileSmall : ageWhileSmall * 5 / 2
    }
}
