import CLinux
import Glibc

/// Starts a bot's first process in its groups, with its limits.
struct BotStart {
    let order: LaunchOrder
    let groups: [ControlGroup]
    /// Whether a group limits its memory.
    let holdsMemory: Bool
    /// Whether a group limits its CPU time.
    let holdsCPU: Bool

    /// Where no group limits CPU time, bots at least stand back.
    private static let nice: Int32 = 5

    /// - Returns: its number.
    func start(input: Int32, output: [Int32]) throws(LocalError) -> Int32 {
        guard output.count == 2, let path = order.command.first else { throw LocalError(.program, "nothing to start") }
        let members = groups.compactMap { $0.openMembers() }
        defer { for descriptor in members { close(descriptor) } }
        let arguments = order.command.map { strdup($0) } + [nil]
        let environment = order.environment.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var failure = clinux_failure()
        let pid = path.withCString { path in
            order.directory.withCString { directory in
                arguments.withUnsafeBufferPointer { arguments in
                    environment.withUnsafeBufferPointer { environment in
                        members.withUnsafeBufferPointer { members in
                            var program = clinux_program()
                            program.path = path
                            program.arguments = arguments.baseAddress
                            program.environment = environment.baseAddress
                            program.directory = directory
                            program.input = input
                            program.output = output[0]
                            program.errors = output[1]
                            program.groups = members.baseAddress
                            program.group_count = members.count
                            program.data_limit = holdsMemory ? 0 : UInt64(max(0, order.memoryLimit))
                            program.descriptor_limit = UInt64(max(0, order.descriptorLimit))
                            program.nice = holdsCPU ? 0 : BotStart.nice
                            program.no_new_privileges = order.noNewPrivileges ? 1 : 0
                            return clinux_start(&program, &failure)
                        }
                    }
                }
            }
        }
        guard pid > 0 else { throw LocalError(.program, "\(path) can't be started: \(reason(failure))") }
        return pid
    }

    private func reason(_ failure: clinux_failure) -> String {
        let doing =
            switch clinux_stage(UInt32(failure.stage)) {
            case clinux_stage_fork: "no new process"
            case clinux_stage_group: "it can't join its control group"
            case clinux_stage_limit: "a limit can't be set"
            case clinux_stage_directory: "its folder can't be entered"
            default: "the system refuses it"
            }
        return "\(doing): \(String(cString: strerror(failure.error)))"
    }
}
