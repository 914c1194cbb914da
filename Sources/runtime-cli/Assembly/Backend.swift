import DockerMode
import Glibc
import LocalMode
import Logging
import Model
import Runtime
import Synchronization
import Util

/// What bots run on, as the settings say.
struct Backend: Sendable {
    /// What every backend here can do.
    typealias AnyRunner = any Runner & RunPreparing & RunWatching & RunOutputReading & RunOutputFollowing
        & RunnerHousekeeping & CompletionRunner

    let runner: AnyRunner
    /// What it is called in health reports and as a source of wake-ups.
    let name: String
    let ping: @Sendable () async throws(RunnerError) -> Void
    /// Says at the start what there is to know of it.
    let announce: @Sendable () -> Void
    /// Has the last lines of a run read before it is removed.
    let readFinally: @Sendable (any FinalOutputReading) -> Void

    /// What helps somebody whose engine doesn't answer.
    static let hint =
        "without a container engine, --backend local runs bots as processes of this machine, which isolates nothing"

    static func open(
        _ settings: RunnerSettings,
        code: any CodeProvider,
        executor: BlockingExecutor,
        logger: Logger
    ) async throws(SettingError) -> Backend {
        switch settings.backend {
        case .docker: return docker(settings, code: code, logger: logger)
        case .local: return try await local(settings, code: code, executor: executor, logger: logger)
        case .auto:
            let docker = docker(settings, code: code, logger: logger)
            do throws(RunnerError) {
                try await docker.ping()
                logger.notice("backend: docker, since the engine answers", metadata: ["engine": "\(settings.engine)"])
                return docker
            } catch {
                logger.notice("backend: local, since no container engine answers", metadata: ["error": "\(error)"])
            }
            return try await local(settings, code: code, executor: executor, logger: logger)
        }
    }

    private static func docker(_ settings: RunnerSettings, code: any CodeProvider, logger: Logger) -> Backend {
        let runner = DockerRunner(
            connection: settings.engine,
            instance: settings.instance,
            code: code,
            settings: settings.docker,
            logger: logger
        )
        let hasHinted = Atomic(false)
        let hints = settings.backend == .docker
        return Backend(
            runner: runner,
            name: "engine",
            ping: { () async throws(RunnerError) in
                do throws(RunnerError) { try await runner.ping() } catch {
                    if hints, error.code == .unavailable, !hasHinted.exchange(true, ordering: .relaxed) {
                        logger.notice("the container engine doesn't answer; \(hint)")
                    }
                    throw error
                }
            },
            announce: {},
            readFinally: { runner.readFinally(with: $0) }
        )
    }

    private static func local(
        _ settings: RunnerSettings,
        code: any CodeProvider,
        executor: BlockingExecutor,
        logger: Logger
    ) async throws(SettingError) -> Backend {
        let runner: LocalRunner
        do throws(RunnerError) {
            runner = try await LocalRunner.open(
                directory: "\(settings.cacheDirectory)/the0-local",
                instance: settings.instance,
                code: code,
                settings: settings.local,
                supervisor: [try ownProgram(), Program.supervise],
                path: getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin",
                executor: executor,
                logger: logger
            )
        } catch {
            throw SettingError("--backend \(settings.backend.rawValue)", error.message)
        }
        return Backend(
            runner: runner,
            name: "local processes",
            ping: { () async throws(RunnerError) in try await runner.ping() },
            announce: { runner.announce() },
            readFinally: { runner.readFinally(with: $0) }
        )
    }

    /// Where this program lies.
    private static func ownProgram() throws(RunnerError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0, length < buffer.count else {
            throw RunnerError(.unavailable, "can't find this program's own file (/proc/self/exe)")
        }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
