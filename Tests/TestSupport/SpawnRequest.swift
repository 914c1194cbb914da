import Foundation

/// All that `posix_spawnp` needs, as values.
struct SpawnRequest: Sendable {
    let arguments: [String]
    let environment: [String]
    let input: String
    let output: String
    let errors: String?

    /// Starts the process as a child of the calling thread, with no descriptors but the three usual ones.
    func spawn() -> Result<pid_t, FixtureError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let append = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, append, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, append, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        // `posix_spawn_file_actions_addclosefrom_np` isn't imported. Some more than are open now are closed, since other
        // threads open files meanwhile; closing what isn't open does no harm.
        for descriptor in 3..<(highestDescriptor() + 32) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A test process blocks and ignores signals that its children must not.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            return .failure(FixtureError("can't start \(arguments): \(String(cString: strerror(code)))"))
        }
        return .success(pid)
    }

    private func highestDescriptor() -> Int32 {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return open.compactMap { Int32($0) }.max() ?? 1024
    }
}
