import Model
import Runtime
import Util

/// What a reconciler remembers of earlier looks. It only ever makes it wait; losing it costs one early try or a longer wait.
struct ReconcilerMemory<Instant: InstantProtocol> where Instant.Duration == Duration {
    /// When this memory began.
    let began: Instant
    /// Whether everything was read at least once.
    private var hasSurvey = false
    /// Starts that failed, and when by a clock that nobody steps.
    private var failures: [BotID: (failure: StartFailure, at: Instant)] = [:]
    /// How often a look at a bot, or a full pass, failed in a row.
    var errors: [Wake: Int] = [:]
    /// Documents without an id that were reported.
    private var unnamed: Set<DocumentError> = []
    /// When each bot was last in the store.
    private var inStore: [BotID: Instant] = [:]
    /// When ends were first seen that lie in the future of our wall clock.
    private var futureEnds: [String: Instant] = [:]
    /// Since when everything that runs is strange to the store.
    private var strangersSince: Instant?

    init(began: Instant) { self.began = began }

    /// Notes that the store holds a bot.
    mutating func sawInStore(_ id: BotID, at instant: Instant) { inStore[id] = instant }

    /// Notes what a full reading found.
    /// - Returns: documents without an id that weren't reported yet.
    mutating func note(_ survey: Survey, at instant: Instant) -> Set<DocumentError> {
        hasSurvey = true
        for id in survey.known { inStore[id] = instant }
        let ids = Set(survey.entries.map(\.id))
        failures = failures.filter { ids.contains($0.key) }
        errors = errors.filter { wake, _ in if case .bot(let id) = wake { ids.contains(id) } else { true } }
        let references = Set(survey.entries.flatMap { $0.observed.map(\.reference) })
        futureEnds = futureEnds.filter { references.contains($0.key) }
        let observed = survey.entries.filter { !$0.observed.isEmpty }
        // One run beside a store with other bots is no sign: its bot was deleted while nobody watched.
        let areStrangers =
            observed.count >= (survey.known.isEmpty ? 1 : 2) && observed.allSatisfy { inStore[$0.id] == nil }
        strangersSince = areStrangers ? strangersSince ?? instant : nil
        defer { unnamed = Set(survey.unnamed) }
        return Set(survey.unnamed).subtracting(unnamed)
    }

    /// Whether a bot that isn't in the store is to be left alone for now: it never was there since this process began, and
    /// nothing else that runs was. Then it is likelier that this is the wrong store than that all bots are gone.
    func isHeld(_ id: BotID, grace: Duration, at instant: Instant) -> Bool {
        guard inStore[id] == nil else { return false }
        guard hasSurvey else { return true }
        return strangersSince.map { $0.duration(to: instant) < grace } ?? false
    }

    /// The bots whose leftovers must stay: all that were in the store within an age; nil while nothing may go yet.
    mutating func keeping(for age: Duration, at instant: Instant) -> Set<BotID>? {
        guard began.duration(to: instant) >= age else { return nil }
        inStore = inStore.filter { $0.value.duration(to: instant) <= age }
        return inStore.isEmpty ? nil : Set(inStore.keys)
    }

    /// The last failed start of a bot, as if the wall clock had never been stepped.
    func failure(of id: BotID, now: Timestamp, at instant: Instant) -> StartFailure? {
        guard let (failure, at) = failures[id] else { return nil }
        var rebased = failure
        rebased.at = now.advanced(by: .zero - at.duration(to: instant))
        return rebased
    }

    /// Every failed start, as if the wall clock had never been stepped.
    func allFailures(now: Timestamp, at instant: Instant) -> [BotID: StartFailure] {
        failures.keys.reduce(into: [:]) { $0[$1] = failure(of: $1, now: now, at: instant) }
    }

    /// Notes a failed start, counting on from the last one of the same specification.
    mutating func startFailed(
        _ spec: LaunchSpec,
        _ reason: String,
        isRetryable: Bool,
        now: Timestamp,
        at instant: Instant
    )
        -> StartFailure
    {
        let before = failures[spec.id]?.failure
        let failure = StartFailure(
            hash: spec.hash,
            count: before?.hash == spec.hash ? (before?.count ?? 0) + 1 : 1,
            at: now,
            reason: reason,
            isRetryable: isRetryable
        )
        failures[spec.id] = (failure, instant)
        return failure
    }

    /// Forgets failed starts of a bot that was started.
    mutating func started(_ id: BotID) { failures[id] = nil }

    /// Runs whose end lies in the future of our wall clock, told as if they had ended when that was first seen: the platform's
    /// clock may be ahead, or ours was stepped back.
    mutating func rebased(_ runs: [ObservedRun], now: Timestamp, at instant: Instant) -> [ObservedRun] {
        runs.map { run in
            guard case .exited(var exit) = run.phase, exit.finishedAt > now else { return run }
            let first = futureEnds[run.reference] ?? instant
            futureEnds[run.reference] = first
            let lasted = exit.finishedAt.duration(since: exit.startedAt)
            exit.finishedAt = now.advanced(by: .zero - first.duration(to: instant))
            exit.startedAt = exit.finishedAt.advanced(by: .zero - lasted)
            var rebased = run
            rebased.phase = .exited(exit)
            return rebased
        }
    }
}
