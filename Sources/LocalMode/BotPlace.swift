import Entrypoints
import Runtime

/// Where a bot finds its code, its state and its scripts: what stands at fixed paths in a container lies in a run's folder here.
struct BotPlace: Sendable, Hashable {
    let run: RunFolder
    let state: String
    let confinement: LocalSettings.Confinement
    /// The folders that programs are looked for in, separated by colons.
    let path: String

    private var isConfined: Bool { confinement == .bubblewrap }
    /// The bot's `/bot`, as it sees it.
    var code: String { isConfined ? "/bot" : run.code }
    private var temporary: String { isConfined ? "/tmp" : run.temporary }
    private var scripts: String { isConfined ? EntrypointKind.defaultDirectory : run.scripts }

    /// The whole environment: the specification's, what a program needs to work at all, and nothing of the runner's own.
    func environment(_ spec: LaunchSpec, marker: String) -> [String] {
        var environment = spec.environment
        environment["CODE_MOUNT_DIR"] = String(code.dropFirst())
        environment["THE0_CODE_DIR"] = code
        environment["STATE_DIR"] = (isConfined ? "/state" : state) + "/.the0-state"
        environment["PATH"] = path
        environment["HOME"] = temporary
        environment["TMPDIR"] = temporary
        environment["LANG"] = "C.UTF-8"
        return environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } + [marker]
    }

    /// The program and its arguments.
    func command(_ spec: LaunchSpec, bubblewrap: String?) -> [String] {
        let command = spec.runtime.entrypoint.command(directory: scripts)
        guard let bubblewrap else { return command }
        return Bubblewrap(program: bubblewrap, place: self, temporarySize: spec.sandbox.temporarySize).command + command
    }
}
