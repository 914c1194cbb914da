import Control
import DockerMode
import Foundation
import LocalMode
import Logging
import Model
import Monitoring
import ObjectStorage
import Runtime
import Util

/// Everything that decides how bots are served, live ones and scheduled ones, checked and typed.
struct RunnerSettings: Sendable {
    enum Store: Sendable, Equatable {
        case directory(String)
        case mongo(String)
    }

    /// What bots run as.
    enum Backend: String, Sendable, CaseIterable {
        /// Containers.
        case docker
        /// Processes of this machine.
        case local
        /// Containers where the engine answers, else processes.
        case auto
    }

    var store: Store
    /// Which setting names the store, for messages; nil when nothing does and the default is taken.
    var storeSource: String?
    var natsURL: String?
    /// Which setting names the bus, for messages.
    var natsSource = ""
    var instance: String
    /// What bots run as.
    var backend: Backend
    var engine: DockerConnection
    var docker: DockerSettings
    var local: LocalSettings
    var cacheDirectory: String
    /// Which setting names the cache's directory, for messages.
    var cacheSource: String
    /// In bytes.
    var cacheSize: Int64
    /// The place and credentials of the object store; nil when none is configured.
    var objects: S3Configuration?
    /// The folder that stands in for an object store, with a folder in it for each bucket; nil when none is set.
    var objectFolder: String?
    /// The bucket that code archives lie in.
    var codeBucket: String
    /// What becomes of the bots' output.
    var logs: LogSettings
    /// What only a bot-scheduler is told.
    var scheduler: SchedulerSettings
    var builder: LaunchSpecBuilder
    var reconciler: ReconcilerOptions
    var logging: LoggingOptions
    var listen: ListenAddress

    /// Reads all settings.
    /// - Throws: ``SettingError`` for the first that can't be used.
    init(_ sources: SettingSources) throws(SettingError) {
        // Also those that nothing asks for, as the credentials of an object store without its endpoint.
        for key in SettingKey.all { _ = try sources.text(key) }
        (store, storeSource) = try RunnerSettings.store(sources)
        if let nats = try sources.text(.natsURL) {
            (natsURL, natsSource) = (nats.text, nats.source)
            if case .directory(let path) = store {
                throw SettingError(
                    nats.source,
                    "events are written to MongoDB, but bots are read from the directory \(path.escapedForMessage): "
                        + "set --mongo-uri or MONGO_URI too, or leave it out"
                )
            }
        }
        instance = try sources.value(.instance, default: "default", SettingParser.instance)
        backend = try sources.value(.backend, default: .docker) { text in
            guard let backend = Backend(rawValue: text) else { throw SettingProblem("expected docker, local or auto") }
            return backend
        }
        engine = try RunnerSettings.engine(sources)
        docker = try RunnerSettings.docker(sources)
        local = try RunnerSettings.local(sources, like: docker)
        let cache = try sources.text(.cacheDirectory)
        cacheDirectory = cache?.text ?? RunnerSettings.defaultCache(sources.environment)
        cacheSource = cache?.source ?? "--cache-directory"
        cacheSize = try sources.value(.cacheSize, default: 5 << 30, SettingParser.bytes)
        (objects, objectFolder, codeBucket) = try RunnerSettings.objects(sources)
        logs = try LogSettings(sources, objects: objects)
        scheduler = try SchedulerSettings(sources, objects: objects)
        builder = try RunnerSettings.builder(sources)
        reconciler = try RunnerSettings.reconciler(sources)
        logging = try RunnerSettings.logging(sources)
        listen = try RunnerSettings.listen(sources)
    }

    /// Reads the settings file, checks all settings, and sets up logging.
    /// - Parameters:
    ///   - flags: values of flags by name.
    ///   - config: the path of a settings file.
    ///   - quiet: whether only warnings are logged unless a level is set, for commands that print an answer.
    /// - Throws: `ExitCode`, having said what is wrong.
    static func load(flags: [String: String], config: String?, quiet: Bool = false) throws -> RunnerSettings {
        do throws(SettingError) {
            var sources = SettingSources(flags: flags, environment: ProcessInfo.processInfo.environment)
            if let path = config {
                sources.filePath = path
                sources.file = try SettingsFile.read(path, known: Set(SettingKey.all.map(\.name)))
            }
            var settings = try RunnerSettings(sources)
            if quiet, try sources.text(.logLevel) == nil { settings.logging.level = .warning }
            bootstrapLogging(settings.logging, secrets: settings.secretValues)
            return settings
        } catch {
            throw CommandExit.failing(CommandExit.configuration, error)
        }
    }

    /// The values that must never be shown, as log handlers and health reports look for them.
    var secretValues: Secrets {
        let secrets = Secrets()
        for value in [objects?.accessKey, objects?.secretKey].compactMap(\.self) { secrets.register(value) }
        if case .mongo(let uri) = store { for value in URLCredentials.secrets(in: uri) { secrets.register(value) } }
        if let natsURL { for value in URLCredentials.secrets(in: natsURL, isToken: true) { secrets.register(value) } }
        return secrets
    }

    private static func logging(_ sources: SettingSources) throws(SettingError) -> LoggingOptions {
        let plain = LoggingOptions()
        let level = try sources.value(.logLevel, default: plain.level) { text in
            try LoggingOptions(level: text, format: plain.format.rawValue).level
        }
        let format = try sources.value(.logFormat, default: plain.format) { text in
            try LoggingOptions(level: plain.level.rawValue, format: text).format
        }
        return LoggingOptions(level: level, format: format)
    }

    private static func listen(_ sources: SettingSources) throws(SettingError) -> ListenAddress {
        let set = try sources.text(.listen)
        do throws(MonitoringError) { return try ListenAddress(set?.text ?? ":8080") } catch {
            throw SettingError(set?.source ?? "--listen", error.message)
        }
    }
}
