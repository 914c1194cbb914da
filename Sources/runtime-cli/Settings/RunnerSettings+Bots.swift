import Control
import DockerMode
import Foundation
import LocalMode
import Runtime
import Util

extension RunnerSettings {
    /// What bots get and how they are shut in.
    static func builder(_ sources: SettingSources) throws(SettingError) -> LaunchSpecBuilder {
        var resources = Resources.standard
        resources.memoryLimit = try memoryLimit(sources) ?? resources.memoryLimit
        resources.cpuLimit = try sources.value(.cpuLimit, default: resources.cpuLimit, SettingParser.millicores)
        resources.memoryRequest = min(resources.memoryRequest, resources.memoryLimit)
        resources.cpuRequest = min(resources.cpuRequest, resources.cpuLimit)
        let plain = Sandbox()
        let sandbox = Sandbox(
            user: try sources.value(.user, default: plain.user, SettingParser.user),
            readOnlyRoot: try sources.value(.readOnlyRoot, default: plain.readOnlyRoot, SettingParser.bool),
            dropCapabilities: try sources.value(.dropCapabilities, default: plain.dropCapabilities, SettingParser.bool),
            noNewPrivileges: try sources.value(.noNewPrivileges, default: plain.noNewPrivileges, SettingParser.bool),
            processLimit: try sources.value(
                .processLimit,
                default: plain.processLimit,
                SettingParser.integer(1...4_194_304)
            ),
            temporarySize: try sources.value(.tmpSize, default: plain.temporarySize, SettingParser.bytes),
            network: try sources.value(.network, default: plain.network, SettingParser.network)
        )
        let catalogue = try sources.value(.image, default: RuntimeCatalogue.standard) { text in
            try RuntimeCatalogue.standard.overriding(images: SettingParser.images(text))
        }
        return LaunchSpecBuilder(catalogue: catalogue, resources: resources, sandbox: sandbox)
    }

    /// The limit as a quantity or, as the0 has it, in megabytes.
    private static func memoryLimit(_ sources: SettingSources) throws(SettingError) -> Int64? {
        guard let set = try sources.first(of: .memoryLimit, .memoryLimitMegabytes) else { return nil }
        if set.key == .memoryLimitMegabytes { return try set.parsed(SettingParser.integer(6...(1 << 40))) << 20 }
        return try set.parsed { text in
            let bytes = try SettingParser.bytes(text)
            guard bytes >= Resources.leastMemory else { throw SettingProblem("expected at least 6Mi") }
            return bytes
        }
    }

    /// How often and how bots are looked at and started again.
    static func reconciler(_ sources: SettingSources) throws(SettingError) -> ReconcilerOptions {
        let cores = Int64(ProcessInfo.processInfo.activeProcessorCount)
        let least = SettingParser.duration(from: .milliseconds(1))
        let plain = RestartPolicy.standard
        return ReconcilerOptions(
            interval: try sources.value(
                .reconcileInterval,
                default: .seconds(30),
                SettingParser.duration(from: .seconds(1))
            ),
            parallelStarts: Int(
                try sources.value(.parallelStarts, default: 2 * cores, SettingParser.integer(1...1000))
            ),
            restart: RestartPolicy(
                backoff: try backoff(sources, plain.backoff),
                resetAfter: try sources.value(.restartResetAfter, default: plain.resetAfter, least)
            )
        )
    }

    private static func backoff(_ sources: SettingSources, _ plain: Backoff) throws(SettingError) -> Backoff {
        let least = SettingParser.duration(from: .milliseconds(1))
        let initial = try sources.text(.restartInitial)
        let maximum = try sources.text(.restartMaximum)
        let first = try initial?.parsed(least) ?? plain.initial
        let last = try maximum?.parsed(least) ?? plain.maximum
        do { return try Backoff(initial: first, maximum: last, jitter: plain.jitter) } catch {
            throw SettingError(
                [initial?.source, maximum?.source].compactMap(\.self).joined(separator: ", "),
                error.message
            )
        }
    }

    /// Where Docker's own client keeps its settings unless told otherwise.
    private static func defaultDockerConfig(_ environment: [String: String]) -> String? {
        environment["HOME"].flatMap { $0.isEmpty ? nil : "\($0)/.docker" }
    }

    /// What is particular to local processes. What a bot's log may take, and how long it may take to end, is asked for once for
    /// both.
    static func local(_ sources: SettingSources, like docker: DockerSettings) throws(SettingError) -> LocalSettings {
        let plain = LocalSettings()
        return LocalSettings(
            confinement: try sources.value(.localSandbox, default: plain.confinement) { text in
                guard let confinement = LocalSettings.Confinement(rawValue: text) else {
                    throw SettingProblem("expected none or bubblewrap")
                }
                return confinement
            },
            stopGrace: docker.stopGrace,
            logFileSize: try sources.value(.engineLogSize, default: plain.logFileSize, SettingParser.bytes),
            logFileCount: docker.logFileCount
        )
    }

    /// What is particular to containers.
    static func docker(_ sources: SettingSources) throws(SettingError) -> DockerSettings {
        let plain = DockerSettings()
        let shares = try sources.value(.cpuShares, default: 0, SettingParser.integer(0...262_144))
        return DockerSettings(
            pullPolicy: try sources.value(.pull, default: plain.pullPolicy) { text in
                guard let policy = DockerSettings.PullPolicy(rawValue: text) else {
                    throw SettingProblem("expected missing, always or never")
                }
                return policy
            },
            logFileSize: try sources.value(.engineLogSize, default: plain.logFileSize) {
                String(try SettingParser.bytes($0))
            },
            logFileCount: Int(try sources.value(.engineLogFiles, default: 3, SettingParser.integer(1...1000))),
            stopGrace: try sources.value(.stopGrace, default: plain.stopGrace) { text in
                let grace = try SettingParser.duration(from: .seconds(1))(text)
                guard grace <= .seconds(3600) else { throw SettingProblem("expected 1s to 1h") }
                return grace
            },
            cpuShares: shares == 0 ? nil : shares,
            registryLogins: try sources.text(.dockerConfig)?.text ?? defaultDockerConfig(sources.environment)
        )
    }
}
