import Model
public import Runtime

extension K8sRunner {
    /// Makes a bot's Pod, the Secret that belongs to it, and the volume for its state where there is none yet.
    ///
    /// It returns when both are made; then placing it, pulling images and starting are the cluster's job, and what it waits for
    /// is in the run's note.
    public func start(_ spec: LaunchSpec, attempt: Int) async throws(RunnerError) {
        guard spec.executable.kind == .live else {
            throw RunnerError(.refused, "scheduled runs are Jobs; this runner only has Pods of live bots")
        }
        let template = try PodTemplate(spec, settings: settings)
        let link = try await links.link(for: spec.executable.custom, of: spec.id)
        try await place.make(template, link: link, attempt: attempt)
    }
}

extension K8sRunner: RunPreparing {
    /// Gets a link to the code, and asks whether the server would take a Pod in place of one that runs. Nothing is made.
    public func prepare(_ spec: LaunchSpec) async throws(RunnerError) {
        guard spec.executable.kind == .live else { return }
        let template = try PodTemplate(spec, settings: settings)
        _ = try await links.link(for: spec.executable.custom, of: spec.id)
        try await place.check(template)
    }
}
