/// How a bot is shut in. Set once for a whole runner; a backend applies what its platform knows.
public struct Sandbox: Sendable, Hashable {
    /// How bots reach the network.
    public enum Network: Sendable, Hashable {
        /// A network of their own, on which bots can't reach one another.
        case isolated
        /// The host's network, with all its ports.
        case host
        /// A network that the operator made.
        case named(String)
    }

    /// The user and group that bots run as.
    public var user: UserID
    /// Whether everything but `/bot`, `/tmp` and `/state` is read-only.
    public var readOnlyRoot: Bool
    /// Whether all capabilities are dropped.
    public var dropCapabilities: Bool
    /// Whether a program may not gain privileges (`no_new_privs`).
    public var noNewPrivileges: Bool
    /// The most processes and threads a bot may have.
    public var processLimit: Int64
    /// The size of `/tmp`, in bytes. It lies in memory and counts towards the memory limit.
    public var temporarySize: Int64
    /// How bots reach the network.
    public var network: Network

    /// A numeric user and group.
    public struct UserID: Sendable, Hashable, CustomStringConvertible {
        /// The user's number.
        public var user: UInt32
        /// The group's number.
        public var group: UInt32

        /// A user and a group by number.
        public init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }

        /// Both numbers, as `65532:65532`.
        public var description: String { "\(user):\(group)" }
    }

    /// A sandbox with everything shut that bots don't need.
    public init(
        user: UserID = UserID(user: 65532, group: 65532),
        readOnlyRoot: Bool = true,
        dropCapabilities: Bool = true,
        noNewPrivileges: Bool = true,
        processLimit: Int64 = 256,
        temporarySize: Int64 = 64 << 20,
        network: Network = .isolated
    ) {
        self.user = user
        self.readOnlyRoot = readOnlyRoot
        self.dropCapabilities = dropCapabilities
        self.noNewPrivileges = noNewPrivileges
        self.processLimit = processLimit
        self.temporarySize = temporarySize
        self.network = network
    }
}
