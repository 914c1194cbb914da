import Entrypoints

/// The arguments that shut a bot in: its own mounts, processes and inter-process memory. The network stays the machine's.
struct Bubblewrap: Sendable {
    let program: String
    let place: BotPlace
    /// In bytes.
    let temporarySize: Int64

    /// What of the system a bot sees, read-only, where it is there. No home, nothing of `/var`, `/run` and `/srv`.
    static let system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix"]
    /// What `/etc/resolv.conf` often points to.
    private static let resolver = "/run/systemd/resolve"

    var command: [String] {
        var command = [program, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL"]
        for folder in Bubblewrap.system { command += ["--ro-bind-try", folder, folder] }
        command += [
            "--ro-bind-try", Bubblewrap.resolver, Bubblewrap.resolver, "--proc", "/proc", "--dev", "/dev",
            "--size", "\(temporarySize)", "--tmpfs", "/tmp", "--bind", place.run.code, "/bot", "--bind", place.state,
            "/state",
            "--ro-bind", place.run.scripts, EntrypointKind.defaultDirectory, "--chdir", "/bot", "--",
        ]
        return command
    }

    /// The folders of a `PATH` that a bot still sees.
    static func visible(path: String) -> String {
        path.split(separator: ":").filter { folder in system.contains { folder == $0 || folder.hasPrefix("\($0)/") } }
            .joined(separator: ":")
    }
}
