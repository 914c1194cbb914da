import Control
import DockerMode
import Foundation
import Logging
import Model
import Runtime
import Util

/// Everything that decides how live bots are served, checked and typed.
struct RunnerSettings: Sendable {
    enum Store: Sendable, Equatable {
        case directory(String)
        case mongo(String)
    }

    /// The credentials and place of the object store; nil when none is configured.
    struct ObjectStore: Sendable {
        var endpoint: String
        var accessKey: String
        var secretKey: String
        var usesTLS: Bool
        var region: String
        var codeBucket: String
    }

    var store: Store
    /// Whether the directory store was chosen because nothing else was set.
    var storeIsDefault: Bool
    var natsURL: String?
    var instance: String
    var dockerHost: String?
    var dockerTLSVerify: Bool
    var dockerCertificates: String?
    var docker: DockerSettings
    var cacheDirectory: String
    var cacheSize: Int64
    var objects: ObjectStore?
    var builder: LaunchSpecBuilder
    var reconciler: ReconcilerOptions
    var logging: LoggingOptions
    var listen: String

    /// Reads all settings.
    /// - Throws: ``SettingError`` for the first that can't be used.
    init(_ sources: SettingSources) throws(SettingError) {
        (store, storeIsDefault) = try RunnerSettings.store(sources)
        natsURL = try sources.text(.natsURL)?.text
        if natsURL != nil, case .directory(let path) = store {
            let source = try sources.text(.natsURL)?.source ?? "--nats-url"
            throw SettingError(
                source,
                "events are written to MongoDB, but bots are read from the directory \(path.escapedForMessage): "
                    + "set --mongo-uri or MONGO_URI too, or leave it out"
            )
        }
        instance = try sources.value(.instance, default: "default", SettingParser.instance)
        dockerHost = try sources.text(.dockerHost)?.text
        // As the docker client has it: any text that isn't empty switches verification on, an explicit false doesn't.
        dockerTLSVerify = try sources.value(.dockerTLSVerify, default: false) { !["0", "false"].contains($0.lowercased()) }
        dockerCertificates = try sources.text(.dockerCertificates)?.text
        docker = try RunnerSettings.docker(sources)
        cacheDirectory = try sources.value(
            .cacheDirectory,
            default: RunnerSettings.defaultCache(sources.environment),
            SettingParser.path
        )
        cacheSize = try sources.value(.cacheSize, default: 5 << 30, SettingParser.bytes)
        objects = try RunnerSettings.objects(sources)
        builder = try RunnerSettings.builder(sources)
        reconciler = try RunnerSettings.reconciler(sources)
        logging = try RunnerSettings.logging(sources)
        listen = try sources.value(.listen, default: ":8080", SettingParser.path)
    }

    /// Reads the settings file, checks all settings, and sets up logging.
    /// - Parameter quiet: whether only warnings are logged unless a level is set, for commands that print an answer.
    /// - Throws: `ExitCode`, having said what is wrong.
    static func load(_ options: RunnerOptions, extra: [SettingKey: String] = [:], quiet: Bool = false) throws -> RunnerSettings {
        do throws(SettingError) {
            var sources = SettingSources(flags: options.given, environment: ProcessInfo.processInfo.environment)
            for (key, text) in extra { sources.flags[key.name] = text }
            if let path = options.config {
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
        return secrets
    }

    private static func store(_ sources: SettingSources) throws(SettingError) -> (Store, Bool) {
        func parse(_ text: String) -> Store {
            text.hasPrefix("mongodb://") || text.hasPrefix("mongodb+srv://") ? .mongo(text) : .directory(text)
        }
        if let (text, _) = try sources.text(.store) { return (parse(text), false) }
        if let (text, source) = try sources.text(.mongoURI) {
            guard case .mongo = parse(text) else { throw SettingError(source, "expected mongodb://… or mongodb+srv://…") }
            return (.mongo(text), false)
        }
        return (.directory("./bots"), true)
    }

    private static func defaultCache(_ environment: [String: String]) -> String {
        let base = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? environment["HOME"].flatMap { $0.isEmpty ? nil : "\($0)/.cache" } ?? "/var/cache"
        return "\(base)/the0-runtime/code"
    }

    private static func objects(_ sources: SettingSources) throws(SettingError) -> ObjectStore? {
        guard let endpoint = try sources.text(.minioEndpoint) else { return nil }
        return ObjectStore(
            endpoint: endpoint.text,
            accessKey: try secret(sources, .minioAccessKey, .minioAccessKeyFile, neededFor: endpoint.source),
            secretKey: try secret(sources, .minioSecretKey, .minioSecretKeyFile, neededFor: endpoint.source),
            usesTLS: try sources.value(.minioTLS, default: false, SettingParser.bool),
            region: try sources.value(.minioRegion, default: "us-east-1", SettingParser.path),
            codeBucket: try sources.value(.codeBucket, default: "custom-bots", SettingParser.path)
        )
    }

    private static func secret(
        _ sources: SettingSources,
        _ key: SettingKey,
        _ fileKey: SettingKey,
        neededFor source: String
    ) throws(SettingError) -> String {
        if let (text, _) = try sources.text(key) { return text }
        if let (path, source) = try sources.text(fileKey) { return try SettingsFile.secret(path, source: source) }
        throw SettingError(source, "needs \(key.variables[0]) or \(fileKey.variables[0]) too")
    }

    private static func builder(_ sources: SettingSources) throws(SettingError) -> LaunchSpecBuilder {
        var resources = Resources.standard
        let megabytes = try sources.value(.memoryLimitMegabytes, default: 512, SettingParser.integer(6...(1 << 40)))
        resources.memoryLimit = try sources.value(.memoryLimit, default: megabytes << 20) { text in
            let bytes = try SettingParser.bytes(text)
            guard bytes >= Resources.leastMemory else { throw SettingProblem("expected at least 6Mi") }
            return bytes
        }
        resources.cpuLimit = try sources.value(.cpuLimit, default: resources.cpuLimit, SettingParser.millicores)
        resources.memoryRequest = min(resources.memoryRequest, resources.memoryLimit)
        resources.cpuRequest = min(resources.cpuRequest, resources.cpuLimit)
        let plain = Sandbox()
        let sandbox = Sandbox(
            user: try sources.value(.user, default: plain.user, SettingParser.user),
            readOnlyRoot: try sources.value(.readOnlyRoot, default: plain.readOnlyRoot, SettingParser.bool),
            dropCapabilities: try sources.value(.dropCapabilities, default: plain.dropCapabilities, SettingParser.bool),
            noNewPrivileges: try sources.value(.noNewPrivileges, default: plain.noNewPrivileges, SettingParser.bool),
            processLimit: try sources.value(.processLimit, default: plain.processLimit, SettingParser.integer(1...4_194_304)),
            temporarySize: try sources.value(.tmpSize, default: plain.temporarySize, SettingParser.bytes),
            network: try sources.value(.network, default: plain.network, SettingParser.network)
        )
        let catalogue = try sources.value(.image, default: RuntimeCatalogue.standard) { text in
            try RuntimeCatalogue.standard.overriding(images: SettingParser.images(text))
        }
        return LaunchSpecBuilder(catalogue: catalogue, resources: resources, sandbox: sandbox)
    }

    private static func reconciler(_ sources: SettingSources) throws(SettingError) -> ReconcilerOptions {
        let plain = RestartPolicy.standard
        let least = Duration.milliseconds(1)
        let initial = try sources.value(.restartInitial, default: plain.backoff.initial, SettingParser.duration(from: least))
        let maximum = try sources.value(.restartMaximum, default: plain.backoff.maximum, SettingParser.duration(from: least))
        let backoff: Backoff
        do {
            backoff = try Backoff(initial: initial, maximum: maximum, jitter: plain.backoff.jitter)
        } catch {
            throw SettingError("--restart-initial, --restart-maximum", error.message)
        }
        let cores = Int64(ProcessInfo.processInfo.activeProcessorCount)
        return ReconcilerOptions(
            interval: try sources.value(.reconcileInterval, default: .seconds(30), SettingParser.duration(from: .seconds(1))),
            parallelStarts: Int(try sources.value(.parallelStarts, default: 2 * cores, SettingParser.integer(1...1000))),
            restart: RestartPolicy(
                backoff: backoff,
                resetAfter: try sources.value(.restartResetAfter, default: plain.resetAfter, SettingParser.duration(from: least))
            )
        )
    }

    private static func docker(_ sources: SettingSources) throws(SettingError) -> DockerSettings {
        let plain = DockerSettings()
        let shares = try sources.value(.cpuShares, default: 0, SettingParser.integer(0...262_144))
        return DockerSettings(
            pullPolicy: try sources.value(.pull, default: plain.pullPolicy) { text in
                guard let policy = DockerSettings.PullPolicy(rawValue: text) else {
                    throw SettingProblem("expected missing, always or never")
                }
                return policy
            },
            logFileSize: try sources.value(.engineLogSize, default: plain.logFileSize) { String(try SettingParser.bytes($0)) },
            logFileCount: Int(try sources.value(.engineLogFiles, default: 3, SettingParser.integer(1...1000))),
            stopGrace: try sources.value(.stopGrace, default: plain.stopGrace, SettingParser.duration(from: .seconds(1))),
            cpuShares: shares == 0 ? nil : shares
        )
    }

    private static func logging(_ sources: SettingSources) throws(SettingError) -> LoggingOptions {
        let level = try sources.text(.logLevel)
        let format = try sources.text(.logFormat)
        do { return try LoggingOptions(level: level?.text ?? "info", format: format?.text ?? "text") } catch {
            throw SettingError([level?.source, format?.source].compactMap(\.self).joined(separator: ", "), error.message)
        }
    }
}
