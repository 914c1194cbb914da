public import Model
public import Runtime
import Util

extension K8sRunner: RunWatching {
    /// Tells of every change of a bot's Pod that is one of its run, until cancelled. The watch itself is ``run()``'s.
    public func watch(_ kind: ExecutableKind, wake: @escaping @Sendable (BotID?) -> Void) async {
        guard kind == .live else {
            // There is nothing to tell of.
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            return
        }
        // Cancelled while it waits.
        guard (try? await view.waitUntilSynced()) != nil else { return }
        wake(nil)
        await withDiscardingTaskGroup { group in
            for source in view.sources {
                group.addTask { await source.watch { wake($0) } }
            }
        }
    }
}

/// A cache of Pods, and what a Pod in it is as a run.
struct RunSource: Sendable {
    let cache: WatchCache<Pod>
    let run: @Sendable (Pod) -> ObservedRun?

    /// Tells of the runs that change from now on, until cancelled.
    func watch(_ wake: (BotID) -> Void) async {
        // What is there already is no change.
        let before = Dictionary(cache.objects.map { ($0.uid, $0.resourceVersion) }) { first, _ in first }
        for await change in cache.changes() {
            if change.previous == nil, let current = change.current, before[current.uid] == current.resourceVersion {
                continue
            }
            let runs = [change.previous, change.current].map { pod in
                pod.flatMap { run($0) }.map { run -> ObservedRun in
                    var run = run
                    run.note = ""
                    return run
                }
            }
            guard runs[0] != runs[1] else { continue }
            for id in Set(runs.compactMap { $0?.id }) { wake(id) }
        }
    }
}
