import Model
import Runtime
import Synchronization
import TestSupport
import Util

@testable import K8sMode

/// No kubelet: what the containers of one Pod have written, given by a ``FakeCluster`` with a kubelet's rules.
final class FakePodLogs: Sendable {
    struct Container {
        let id: String
        var lines: [(time: Int64, text: String)] = []
        var isRunning = true
        /// How many lines the log has lost at its front.
        var lost = 0
    }
    private struct State {
        var containers: [Container] = []
        var feeds: [FakeFeed] = []
        /// What the kubelet says instead of an ended container's log.
        var complaint: String?
    }
    private let state = Mutex(State())
    private let cluster: FakeCluster
    private let pod: String

    init(_ cluster: FakeCluster, pod: String) {
        self.cluster = cluster
        self.pod = pod
        cluster.override { [weak self] request in
            guard request.path.hasSuffix("/pods/\(pod)/log") else { return nil }
            return self?.answer(request)
        }
    }

    /// A second of a day, with a fraction that is the same for all: many lines have one time.
    static func line(_ time: Int64, _ text: String) -> String {
        let stamp = RFC3339.string(Timestamp(nanosecondsSince1970: (1_767_330_000 + time) * 1_000_000_000 + 5))
        return "\(stamp) \(text)"
    }

    /// Starts a container, after the one before has ended.
    func start(_ id: String) {
        state.withLock { $0.containers.append(Container(id: id)) }
        publish()
    }

    func write(_ time: Int64, _ text: String) {
        state.withLock { state in
            state.containers[state.containers.count - 1].lines.append((time, text))
            for feed in state.feeds { feed.send(Self.line(time, text)) }
        }
    }

    /// Breaks off whoever follows.
    func breakOff() {
        let feeds = state.withLock { state in
            defer { state.feeds = [] }
            return state.feeds
        }
        for feed in feeds { feed.close() }
    }

    /// Ends the newest container.
    func end(publishes: Bool = true) {
        state.withLock { $0.containers[$0.containers.count - 1].isRunning = false }
        breakOff()
        if publishes { publish() }
    }

    func lose(_ count: Int) { state.withLock { $0.containers[$0.containers.count - 1].lost = count } }
    func complain(_ text: String?) { state.withLock { $0.complaint = text } }

    /// Tells what there is in the Pod's status.
    func publish() {
        let containers = state.withLock { $0.containers }
        func terminated(_ container: Container) -> JSONValue {
            ["terminated": ["exitCode": 1, "containerID": .string(container.id)]]
        }
        guard let newest = containers.last else { return }
        var status: JSONObject = ["name": "bot", "containerID": .string(newest.id)]
        status["state"] = newest.isRunning ? ["running": [:]] : terminated(newest)
        if containers.count > 1 { status["lastState"] = terminated(containers[containers.count - 2]) }
        cluster.change("pods", pod) { pod in
            pod[["spec", "nodeName"]] = "n1"
            pod["status"] = ["phase": "Running", "containerStatuses": [.object(status)]]
        }
    }

    private func answer(_ request: FakeRequest) -> FakeAnswer {
        state.withLock { state in
            let isPrevious = request.query["previous"] == "true"
            let index = state.containers.count - (isPrevious ? 2 : 1)
            guard state.containers.indices.contains(index) else { return .status(400, "BadRequest", "not found") }
            let container = state.containers[index]
            if let complaint = state.complaint, !container.isRunning { return .stream([complaint], closes: true) }
            let since = request.query["sinceTime"].flatMap { try? RFC3339.parse($0) }?.secondsSince1970 ?? 0
            var lines = container.lines.dropFirst(container.lost).filter { 1_767_330_000 + $0.time >= since }
            if let tail = request.query["tailLines"].flatMap({ Int($0) }) { lines = lines.suffix(tail) }
            let text = lines.map { Self.line($0.time, $0.text) }.joined()
            guard request.query["follow"] == "true", container.isRunning else {
                return .stream(text.isEmpty ? [] : [text], closes: true)
            }
            let feed = FakeFeed()
            if !text.isEmpty { feed.send(text) }
            state.feeds.append(feed)
            return .feed(feed)
        }
    }
}

/// Lines as a collector takes them, with the place after them.
final class TakenLines: Sendable {
    private let state = Mutex<(lines: [String], position: OutputPosition?, gaps: Int)>(([], nil, 0))

    var lines: [String] { state.withLock { $0.lines } }
    var position: OutputPosition? { state.withLock { $0.position } }
    var gaps: Int { state.withLock { $0.gaps } }

    func take(_ batch: OutputBatch) {
        state.withLock { state in
            state.lines += batch.lines.map { String(decoding: $0.bytes, as: UTF8.self) }
            state.position = batch.position
            if batch.hasGap { state.gaps += 1 }
        }
    }
}
