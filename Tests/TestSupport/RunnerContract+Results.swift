import Model
import Runtime

extension CompletionContract {
    func aResultIsReadAsItIs() async throws {
        let programs: [(slot: Slot, program: String, expected: [UInt8]?)] = [
            (1, "", nil),
            (2, "open(R, 'w').write('{\"a\": [1]}')\n", Array("{\"a\": [1]}".utf8)),
            (3, "open(R, 'wb')\n", []),
            (4, "open(R, 'wb').write(bytes(range(256)) * 256)\n", (0..<65536).map { UInt8($0 & 255) }),
            (5, "open(R, 'w').write('1'); os.chmod(R, 0)\nos._exit(9)\n", Array("1".utf8)),
            (6, "open(R + 'x', 'w').write('2'); os.link(R + 'x', R)\n", Array("2".utf8)),
        ]
        for (slot, program, expected) in programs {
            let run = try await ended("s-result", slot, CompletionContract.path + program)
            for runner in runners {
                let found = try await runner.result(of: run, limit: CompletionContract.limit)
                try holds(found == expected, "a result is read as it is, slot \(slot): \(found?.count ?? -1) bytes")
            }
            try holds(try await ended("s-result", slot) == run, "reading a result changes nothing")
        }
        try await clear("s-result")
    }

    func whatIsNoResultIsRefused() async throws {
        let programs: [(slot: Slot, program: String)] = [
            (1, "open(R, 'wb').write(bytes(65537))\n"),
            (2, "os.truncate(os.open(R, os.O_CREAT | os.O_RDWR), 1 << 36)\n"),
            (3, "os.symlink('/etc/passwd', R)\n"),
            (4, "os.symlink('nowhere', R)\n"),
            (8, "open(R + 'x', 'w').write('1'); os.symlink('result.jsonx', R)\n"),
            (5, "os.mkdir(R); open(R + '/a', 'w').write('1')\n"),
            (6, "os.mkfifo(R)\n"),
            (
                7,
                "import socket\nos.chdir(os.path.dirname(R))\nsocket.socket(socket.AF_UNIX).bind('result.json')\n"
            ),
        ]
        for (slot, program) in programs {
            let run = try await ended("s-refused", slot, CompletionContract.path + program)
            try holds(run.exit?.code == 0, "the test's own program works, slot \(slot): \(run)")
            if !seesDeadLinks, [3, 4].contains(slot) {
                let found = try await runner.result(of: run, limit: CompletionContract.limit)
                try holds(found == nil, "no link is followed out of the bot's folder")
                continue
            }
            // Podman breaks off in the middle of a socket.
            let codes: Set<RunnerError.Code> = !seesDeadLinks && slot == 7 ? [.refused, .unavailable] : [.refused]
            try await fails(codes, "what is no result, or too long, is refused, slot \(slot)") {
                _ = try await runner.result(of: run, limit: CompletionContract.limit)
            }
        }
        try await clear("s-refused")
    }

    func isResult(_ run: ObservedRun, _ text: String, _ promise: String) async throws {
        let found = try await other.result(of: run, limit: CompletionContract.limit)
        try holds(
            found == Array(text.utf8),
            "\(promise): \(found.map { String(decoding: $0, as: UTF8.self) } ?? "nil")"
        )
    }

    func isConflict(
        _ runner: any CompletionRunner,
        _ spec: LaunchSpec,
        attempt: Int = 0,
        _ promise: String
    ) async throws {
        try await fails(.conflict, promise) { try await runner.start(spec, attempt: attempt) }
    }

    func fails(_ code: RunnerError.Code, _ promise: String, _ body: () async throws -> Void) async throws {
        try await fails([code], promise, body)
    }

    private func fails(
        _ codes: Set<RunnerError.Code>,
        _ promise: String,
        _ body: () async throws -> Void
    ) async throws {
        var failure: (any Error)?
        do { try await body() } catch { failure = error }
        try holds(
            (failure as? RunnerError).map { codes.contains($0.code) } == true,
            "\(promise), with \(codes), not \(String(describing: failure))"
        )
    }

    /// Runs a slot to its end. What runs the program has no chance to write a result for it.
    func ended(_ id: BotID, _ slot: Slot, _ program: String) async throws -> ObservedRun {
        try await runner.start(try spec(id, .scheduled, slot, program + "os._exit(0)\n"), attempt: 0)
        return try await ended(id, slot)
    }

    /// The run of a slot, or the only one, once it has ended.
    func ended(_ id: BotID, _ slot: Slot? = nil) async throws -> ObservedRun {
        try await eventuallyValue(within: .seconds(30), "the end of \(id), \(slot?.description ?? "its only slot")") {
            try await runner.runs(of: .scheduled, id: id).first { $0.exit != nil && (slot == nil || $0.slot == slot) }
        }
    }

    func clear(_ id: BotID) async throws {
        for kind in ExecutableKind.allCases {
            for run in try await runner.runs(of: kind, id: id) { try await runner.remove(run) }
            try holds(try await runner.runs(of: kind, id: id).isEmpty, "a removed run is gone")
        }
    }
}
