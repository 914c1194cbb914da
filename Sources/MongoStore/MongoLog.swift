import CMongo
import Logging
import Synchronization
import Util

/// The library's own log, which is one for the process and goes to stderr unless it is caught.
enum MongoLog {
    private static let logger = Mutex<Logger?>(nil)
    private static let secrets = Secrets()

    /// Has the library set up, once, and its log written to a logger; the last one given counts.
    static func start(_ logger: Logger) {
        Self.logger.withLock { $0 = logger }
        _ = library
    }

    /// Keeps passwords out of what the library logs.
    static func hide(_ passwords: [String]) {
        for password in passwords { secrets.register(password) }
    }

    private static let library: Void = {
        mongoc_log_set_handler(receive, nil)
        mongoc_init()
    }()

    fileprivate static func write(_ level: Logger.Level, _ message: String) {
        guard let logger = logger.withLock({ $0 }) else { return }
        logger.log(level: level, "libmongoc: \(secrets.redact(message))")
    }
}

/// At file scope, so that it belongs to no actor: the library calls it from threads of its own.
private func receive(
    level: mongoc_log_level_t,
    domain: UnsafePointer<CChar>?,
    message: UnsafePointer<CChar>?,
    context: UnsafeMutableRawPointer?
) {
    guard let message else { return }
    MongoLog.write(Logger.Level(level), String(cString: message))
}

extension Logger.Level {
    fileprivate init(_ level: mongoc_log_level_t) {
        switch level {
        case MONGOC_LOG_LEVEL_ERROR, MONGOC_LOG_LEVEL_CRITICAL: self = .error
        case MONGOC_LOG_LEVEL_WARNING: self = .warning
        case MONGOC_LOG_LEVEL_MESSAGE, MONGOC_LOG_LEVEL_INFO: self = .info
        case MONGOC_LOG_LEVEL_DEBUG: self = .debug
        default: self = .trace
        }
    }
}
