import Logging
import Runtime
import Util

/// Follows what a Pod's container writes: reads its log on from where it was, again and again, also those of the containers that
/// the kubelet makes in its place, until the Pod has ended.
struct PodLogFollowing {
    let pods: Resources<Pod>
    let view: PodView
    let pod: PodReference
    let logger: Logger
    var backoff = Backoff.apiServer

    typealias Delivery = @Sendable (OutputBatch) async throws -> Void

    /// Why a following ended early.
    enum Failure: Error {
        /// The Pod isn't there any more.
        case gone
        /// The server can't be asked, or has no log to give.
        case server(K8sError)
        /// Who takes the lines has failed.
        case delivery(any Error)
    }

    /// Where a reading begins.
    private struct Start {
        var container: String?
        var place: LogPosition?
        var anchor: Int64 = 0
        var hasGap = false
    }

    /// How a reading ended.
    private enum Ending {
        /// There is no more for now.
        case complete
        /// The place had to be looked for, and the log is to be read again from there.
        case again
        /// The kubelet has made a container that the server doesn't tell of yet.
        case behind
    }

    private var start: Start
    /// The container of which nothing more will come, since it has ended and was read to its end.
    private var finished: String?
    /// Whether the newest log ended by itself while it was followed.
    private var hasSeenEnd = false
    /// What a log that was followed had after its last line's end; it is complete when the Pod turns out to be gone.
    private var unended: (lines: [OutputText], place: LogPosition?, instance: ContainerLogs.Instance)?
    /// A place that turned out to be in the log of another container than was thought.
    private var misplaced: (container: String, place: LogPosition)?
    /// How often nothing came of trying.
    private var failures = 0
    /// How often in a row the kubelet was ahead of what the server says.
    private var timesBehind = 0
    private static let mostTimesBehind = 6
    /// How often a log is read in a row whose place had to be looked for.
    private static let mostAttempts = 4

    init(pods: Resources<Pod>, view: PodView, pod: PodReference, after position: PodLogPosition?, logger: Logger) {
        self.pods = pods
        self.view = view
        self.pod = pod
        self.logger = logger
        start = Start(container: position?.container, place: position?.place)
    }

    mutating func run(waiting: Bool, _ deliver: Delivery) async throws(Failure) {
        while true {
            var hasEnded = false
            do throws(Failure) { hasEnded = try await look(waiting: waiting, deliver) } catch {
                guard waiting, case .server(let cause) = error, cause.isWorthRepeating(failures) else { throw error }
                logger.debug(
                    "a Pod's output can't be read, trying again",
                    metadata: ["pod": "\(pod.name)", "error": "\(cause)"]
                )
            }
            if hasEnded { return }
            failures += 1
            do { try await Task.sleep(for: backoff.delay(attempt: failures, seed: pod.uid)) } catch {
                throw .server(K8sError(.cancelled, "cancelled", cause: error))
            }
        }
    }

    /// Reads what there is, and what is written meanwhile.
    /// - Returns: whether the end was reached.
    private mutating func look(waiting: Bool, _ deliver: Delivery) async throws(Failure) -> Bool {
        guard let standing = try await standing(isFresh: !waiting) else {
            guard hasSeenEnd else { throw .gone }
            if let unended { try await hand(unended.lines, unended.place, unended.instance, deliver) }
            return true
        }
        unended = nil
        let instances = ContainerLogs(standing.botContainer).instances
        let known = instances.firstIndex { $0.mark == start.container }
        if known == nil, start.container != nil, !instances.isEmpty {
            // More than one has come and gone since.
            start = Start(hasGap: true)
        }
        for instance in instances[(known ?? 0)...] where instance.mark != finished {
            if start.container != instance.mark { enter(instance) }
            let newest = instance.isPrevious ? instances.last : nil
            let follow = waiting && instance.isRunning
            var attempts = 0
            reading: while true {
                switch try await read(instance, follow: follow, newest: newest, deliver) {
                case .complete: break reading
                case .again: attempts += 1
                case .behind: return try await waitForNews(of: standing)
                }
                guard attempts < Self.mostAttempts else {
                    throw .server(K8sError(.badAnswer, "the log is another one each time it is read"))
                }
            }
            timesBehind = 0
            if !instance.isRunning { finished = instance.mark }
        }
        guard waiting, !standing.isOver else { return true }
        if instances.last?.isRunning != true {
            failures = 0
            await view.wait(forChangeOf: standing, within: .seconds(10))
        }
        return false
    }

    /// The kubelet is ahead of what the server says of the Pod.
    private mutating func waitForNews(of standing: Pod) async throws(Failure) -> Bool {
        timesBehind += 1
        guard timesBehind <= Self.mostTimesBehind else {
            throw .server(K8sError(.badAnswer, "the kubelet has another container than the API server tells of"))
        }
        await view.wait(forChangeOf: standing, within: .seconds(2))
        return false
    }

    private mutating func enter(_ instance: ContainerLogs.Instance) {
        let place = misplaced.flatMap { $0.container == instance.mark ? $0.place : nil }
        start = Start(container: instance.mark, place: place, hasGap: start.hasGap)
        misplaced = nil
    }

    /// The Pod as it is; nil when it is gone.
    private func standing(isFresh: Bool) async throws(Failure) -> Pod? {
        if !isFresh, let known = view.known(pod) { return known }
        do throws(K8sError) {
            guard let found = try await view.pods.get(pod.name), found.uid == pod.uid else { return nil }
            return found
        } catch { throw .server(error) }
    }

    /// One reading, from where the last one came to.
    private mutating func read(
        _ instance: ContainerLogs.Instance,
        follow: Bool,
        newest: ContainerLogs.Instance?,
        _ deliver: Delivery
    ) async throws(Failure) -> Ending {
        var reader = PodLogReader(after: start.place, anchor: start.anchor)
        hasSeenEnd = false
        guard let log = try await open(instance, since: reader.anchor, follow: follow) else {
            // Whatever it still had can't be had any more.
            if !instance.isRunning { start.hasGap = true }
            return .complete
        }
        var pieces = log.makeAsyncIterator()
        while let piece = try await Self.next(&pieces) {
            let lines: [OutputText]
            do throws(K8sError) { lines = try reader.add(piece) } catch {
                return try gap(after: error, instance)
            }
            try await hand(lines, reader.place, instance, deliver)
            if reader.isLost, let place = start.place { return try await search(place, instance, newest) }
        }
        // A line without its end is complete only when nothing can follow; else it is read again.
        var whole = reader
        let rest: [OutputText]
        do throws(K8sError) { rest = try whole.finish() } catch { return try gap(after: error, instance) }
        if !instance.isRunning {
            reader = whole
            try await hand(rest, reader.place, instance, deliver)
        } else if follow, !rest.isEmpty {
            unended = (rest, whole.place, instance)
        }
        if !reader.isPastPlace, let place = start.place { return try await search(place, instance, newest) }
        if start.hasGap, let place = reader.place {
            try await hand([], place, instance, deliver)
        }
        hasSeenEnd = follow || !instance.isRunning
        return .complete
    }

    /// A line of the kubelet's own in place of the log: of one that has ended nothing can be had any more.
    private mutating func gap(after error: K8sError, _ instance: ContainerLogs.Instance) throws(Failure) -> Ending {
        guard !instance.isRunning else { throw .server(error) }
        start.hasGap = true
        logger.info(
            "the log of an ended container can't be had",
            metadata: ["pod": "\(pod.name)", "error": "\(error)"]
        )
        return .complete
    }

    private mutating func hand(
        _ lines: [OutputText],
        _ place: LogPosition?,
        _ instance: ContainerLogs.Instance,
        _ deliver: Delivery
    ) async throws(Failure) {
        guard let place, !lines.isEmpty || start.hasGap else { return }
        guard !lines.isEmpty || start.place != place || start.hasGap else { return }
        let position = PodLogPosition(container: instance.mark, place: place)
        let batch = OutputBatch(lines: lines, position: OutputPosition(text: position.text), hasGap: start.hasGap)
        do { try await deliver(batch) } catch { throw .delivery(error) }
        start = Start(container: instance.mark, place: place)
        failures = 0
    }

    /// Begins a reading; nil where the kubelet has no such log, or not yet.
    private func open(
        _ instance: ContainerLogs.Instance,
        since second: Int64,
        follow: Bool
    ) async throws(Failure) -> PodLog? {
        let query = PodLogQuery(
            container: PodTemplate.Container.bot,
            follow: follow,
            previous: instance.isPrevious,
            since: second > 0 ? Timestamp(secondsSince1970: second) : nil
        )
        do throws(K8sError) { return try await pods.log(of: pod.name, query) } catch {
            switch error.code {
            case .notFound: throw .gone
            case .refused, .invalid: return nil
            default: throw .server(error)
            }
        }
    }

    private static func next(_ pieces: inout PodLog.AsyncIterator) async throws(Failure) -> [UInt8]? {
        do throws(K8sError) { return try await pieces.next() } catch { throw .server(error) }
    }

    /// Looks for a place in a log that has lost its front, or isn't the one in which it was.
    private mutating func search(
        _ place: LogPosition,
        _ instance: ContainerLogs.Instance,
        _ newest: ContainerLogs.Instance?
    ) async throws(Failure) -> Ending {
        if let found = try await find(place, in: instance) {
            start = Start(container: instance.mark, place: found.place, hasGap: start.hasGap || found.hasGap)
            return .again
        }
        // What the server says of containers comes later than the kubelet makes them, and logs are asked of it as "the newest" and
        // "the one before": where a place is tells which they are.
        if !instance.isPrevious {
            let before = ContainerLogs.Instance(mark: instance.mark, isPrevious: true, isRunning: false)
            if try await find(place, in: before) != nil { return .behind }
        } else if let newest, try await find(place, in: newest) != nil {
            start = Start(container: instance.mark)
            misplaced = (newest.mark, place)
            return .again
        }
        start = Start(container: instance.mark, anchor: place.anchor, hasGap: true)
        logger.info("a Pod's log has turned over", metadata: ["pod": "\(pod.name)"])
        return .again
    }

    private func find(
        _ place: LogPosition,
        in instance: ContainerLogs.Instance
    ) async throws(Failure) -> (place: LogPosition, hasGap: Bool)? {
        var search = PodLogSearch(place)
        guard let log = try await open(instance, since: place.anchor, follow: false) else { return nil }
        var pieces = log.makeAsyncIterator()
        while !search.isOver, let piece = try await Self.next(&pieces) { search.add(piece) }
        search.finish()
        return search.result
    }
}

extension Pod {
    /// Whether nothing of it will run any more.
    fileprivate var isOver: Bool {
        if phase == .failed || phase == .succeeded { return true }
        guard deletion != nil else { return false }
        if case .running = botContainer?.state { return false }
        return true
    }
}

extension K8sError {
    /// Whether another attempt may do better, after so many for nothing.
    fileprivate func isWorthRepeating(_ failures: Int) -> Bool {
        switch code {
        case .unreachable, .timedOut, .failed, .throttled, .credential, .unauthorized, .expired: true
        // It may have been cut; always the same nonsense is somebody's to know.
        case .badAnswer: failures < 3
        case .setting, .forbidden, .notFound, .alreadyExists, .conflict, .invalid, .refused, .cancelled: false
        }
    }
}
