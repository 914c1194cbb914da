public import Model
public import Util

/// One container, Pod or process that exists for a bot, as its platform tells.
public struct ObservedRun: Sendable, Hashable {
    /// The platform's own name for it, as a container's id.
    public var reference: String
    /// The bot it belongs to.
    public var id: BotID
    /// What kind of work it is.
    public var kind: ExecutableKind
    /// The slot it runs for; nil for a live bot.
    public var slot: Slot?
    /// What it was started from.
    public var origin: Origin
    /// How many starts of the same specification went before it without lasting.
    public var attempt: Int
    /// When it was made.
    public var createdAt: Timestamp
    /// What it is doing.
    public var phase: Phase
    /// What there is to know of it beside that, for people, as what its platform waits for; mostly empty.
    public var note: String

    /// What a run was started from.
    public enum Origin: Sendable, Hashable {
        /// The hash of its launch specification, which it carries itself.
        case hash(String)
        /// It was started by version 1.2.0, which left no hash: what can be told of it otherwise.
        case legacy(LegacyLaunch)
    }

    /// What a run is doing.
    public enum Phase: Sendable, Hashable {
        /// It was made but never started: the trace of an interrupted start.
        case created
        /// It runs, or is paused, or its platform is restarting it.
        case running(since: Timestamp)
        /// It has ended.
        case exited(Exit)
        /// Its platform is removing it.
        case leaving
    }

    /// A run as observed.
    public init(
        reference: String,
        id: BotID,
        kind: ExecutableKind,
        slot: Slot? = nil,
        origin: Origin,
        attempt: Int,
        createdAt: Timestamp,
        phase: Phase,
        note: String = ""
    ) {
        self.reference = reference
        self.id = id
        self.kind = kind
        self.slot = slot
        self.origin = origin
        self.attempt = attempt
        self.createdAt = createdAt
        self.phase = phase
        self.note = note
    }
}

/// How a run ended.
public struct Exit: Sendable, Hashable {
    /// Its exit code; 128 + n after signal n.
    public var code: Int
    /// Whether its platform says that it was killed for want of memory. Docker misses that now and then when a run's last
    /// process is the one killed: code 137 that nobody asked for is then all there is to see.
    public var outOfMemory: Bool
    /// When it had been started.
    public var startedAt: Timestamp
    /// When it ended.
    public var finishedAt: Timestamp
    /// What the platform says of it, as that its program couldn't be started; empty otherwise.
    public var platformError: String

    /// An end.
    public init(
        code: Int,
        outOfMemory: Bool = false,
        startedAt: Timestamp,
        finishedAt: Timestamp,
        platformError: String = ""
    ) {
        self.code = code
        self.outOfMemory = outOfMemory
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.platformError = platformError
    }
}

/// What can be told of a container that version 1.2.0 started.
public struct LegacyLaunch: Sendable, Hashable {
    /// The image it runs in.
    public var image: String
    /// The entrypoint's path inside the code archive.
    public var entrypoint: String
    /// The parameters it was given; nil when they can't be read.
    public var config: JSONValue?

    /// What was found.
    public init(image: String, entrypoint: String, config: JSONValue?) {
        self.image = image
        self.entrypoint = entrypoint
        self.config = config
    }
}

extension ObservedRun {
    /// Whether it runs, or may do so again without us.
    public var isRunning: Bool { runningSince != nil }

    /// Since when it runs.
    public var runningSince: Timestamp? {
        guard case .running(let since) = phase else { return nil }
        return since
    }

    /// How it ended, if it has.
    public var exit: Exit? {
        guard case .exited(let exit) = phase else { return nil }
        return exit
    }

    /// Whether the run is what the specification asks for.
    ///
    /// A run of version 1.2.0 is, while its image, entrypoint and parameters are those of the bot and the bot's program wasn't
    /// changed since the run was made.
    public func matches(_ spec: LaunchSpec) -> Bool {
        switch origin {
        case .hash(let hash):
            return hash == spec.hash
        case .legacy(let launch):
            // A time that can't be read tells nothing, and a bot isn't stopped for that.
            let changedAt = spec.executable.custom.updatedAt.flatMap { try? RFC3339.parse($0) }
            if let changedAt, changedAt > createdAt { return false }
            // A mirror's image is the same image under another name.
            let images = [spec.runtime.image, RuntimeCatalogue.standard[spec.runtime.name]?.image]
            return images.contains(launch.image) && launch.entrypoint == spec.entrypoint
                && launch.config.map(LaunchSpec.withoutSteering)
                    == LaunchSpec.withoutSteering(.object(spec.executable.config))
        }
    }
}
