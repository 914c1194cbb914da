import CLinux
import Entrypoints
import Glibc
import Model
import Runtime

/// Finds what a language's bots are run by on this machine.
struct Interpreters: Sendable {
    /// The folders that programs are looked for in, separated by colons.
    let path: String

    /// Checks that a bot can be run here.
    /// - Throws: `RunnerError` with code `image` that names what is missing.
    func check(_ spec: LaunchSpec) throws(RunnerError) {
        for command in ["/bin/sh"] + [spec.runtime.entrypoint.interpreter].compactMap(\.self) where find(command) == nil
        {
            throw RunnerError(
                .image,
                "bot \(spec.id.text.escapedForMessage): \(spec.runtime.name) needs '\(command)', which this machine doesn't have"
                    + " (looked for in \(path.escapedForMessage)); install it, or use --backend docker"
            )
        }
    }

    /// Where a command lies; nil when there is none.
    func find(_ command: String) -> String? {
        if command.hasPrefix("/") { return isProgram(command) ? command : nil }
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(command)"
            if isProgram(candidate) { return candidate }
        }
        return nil
    }

    private func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}

extension EntrypointKind {
    /// The command that its start script looks for.
    fileprivate var interpreter: String? {
        switch self {
        case .python: "python3"
        case .node: "node"
        case .dotnet: "dotnet"
        case .jvm: "java"
        case .native: nil
        }
    }
}
