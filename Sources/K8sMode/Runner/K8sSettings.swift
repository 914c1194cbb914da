public import Model
public import Runtime

/// What an operator can choose about the Kubernetes backend beside the sandbox.
public struct K8sSettings: Sendable, Hashable {
    /// Where a bot's `/state` lies.
    public enum State: Sendable, Hashable {
        /// On a volume of its own (a PersistentVolumeClaim), which stays as long as the bot exists.
        /// - Parameters:
        ///   - storageClass: the class of the volumes; nil: the cluster's default class.
        ///   - size: how much each bot gets.
        case volume(storageClass: String?, size: Quantity)
        /// In the Pod: gone with it.
        case ephemeral
    }

    /// Our own image, in which `runtime unpack` brings a bot's code into its Pod.
    public var runtimeImage: String
    /// The program of that image which unpacks the code, with its arguments.
    public var unpackCommand: [String]
    /// What unpacking gets; it runs before the bot, so a Pod needs the larger of the two.
    public var unpackResources: Runtime.Resources
    /// The account of the bots' Pods. It needs no rights, and no token of it is in any Pod.
    public var serviceAccount: String
    /// The Secrets with credentials of image registries.
    public var imagePullSecrets: [String]
    /// The labels of nodes that bots may be placed on; empty: all nodes.
    public var nodeSelector: [String: String]
    /// Where a bot's `/state` lies.
    public var state: State
    /// The most that `/bot` may hold, and `/state` where that lies in the Pod; a Pod beyond it is evicted.
    public var codeSize: Quantity
    /// How long a bot may take to end after SIGTERM; then it is killed.
    public var stopGrace: Duration
    /// The kinds of work whose leftovers this runner removes: those whose whole list of ids it is given.
    public var keptKinds: Set<ExecutableKind>

    /// Settings, with everything that isn't given at its default.
    /// - Parameters:
    ///   - runtimeImage: our own image, as `registry/the0/runtime:2.0.0`.
    ///   - unpackCommand: the program of that image which unpacks the code, with its arguments.
    ///   - unpackResources: what unpacking gets; nil: 256Mi of at least 64Mi, one core of at least 50m.
    ///   - serviceAccount: the account of the bots' Pods.
    ///   - imagePullSecrets: the Secrets with credentials of image registries.
    ///   - nodeSelector: the labels of nodes that bots may be placed on.
    ///   - state: where a bot's `/state` lies.
    ///   - codeSize: the most that `/bot` may hold, and `/state` where that lies in the Pod.
    ///   - stopGrace: how long a bot may take to end after SIGTERM, in whole seconds, rounded up.
    ///   - keptKinds: the kinds of work whose leftovers this runner removes.
    public init(
        runtimeImage: String,
        unpackCommand: [String] = ["runtime", "unpack"],
        unpackResources: Runtime.Resources? = nil,
        serviceAccount: String = "the0-bot",
        imagePullSecrets: [String] = [],
        nodeSelector: [String: String] = [:],
        state: State = .volume(storageClass: nil, size: Quantity(units: 1 << 30)),
        codeSize: Quantity = Quantity(units: 4 << 30),
        stopGrace: Duration = .seconds(30),
        keptKinds: Set<ExecutableKind> = [.live]
    ) {
        self.runtimeImage = runtimeImage
        self.unpackCommand = unpackCommand
        self.unpackResources =
            unpackResources
            ?? Runtime.Resources(memoryLimit: 256 << 20, memoryRequest: 64 << 20, cpuLimit: 1000, cpuRequest: 50)
        self.serviceAccount = serviceAccount
        self.imagePullSecrets = imagePullSecrets
        self.nodeSelector = nodeSelector
        self.state = state
        self.codeSize = codeSize
        self.stopGrace = stopGrace
        self.keptKinds = keptKinds
    }

    /// The grace in whole seconds, as the API takes it, rounded up.
    var stopGraceSeconds: Int {
        let (seconds, attoseconds) = stopGrace.components
        return Int(clamping: max(0, attoseconds > 0 ? seconds + 1 : seconds))
    }
}
