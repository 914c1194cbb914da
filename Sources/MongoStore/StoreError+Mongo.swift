import CMongo
import Control
import Util

extension StoreError {
    /// What the library reports, with what was done and where.
    init(_ error: bson_error_t, _ what: String, _ uri: MongoURI) {
        self.init(MongoError(domain: error.domain, code: error.code, message: error.text), what, uri)
    }

    /// What the library or the server reports, with what was done and where.
    init(_ error: MongoError, _ what: String, _ uri: MongoURI) {
        let reason = uri.secrets.redact(error.message)
        self.init(Code(error), "\(what) on \(uri.hosts): \(reason) (\(error))", cause: error)
    }

    /// What MongoDB itself called the failure, where it did.
    var mongoError: MongoError? { cause as? MongoError }

    /// A value that can't be written.
    init(_ error: BSONError, _ what: String) {
        self.init(.refused, "\(what): \(error.path) \(error.problem)")
    }
}

/// An error as the C library or the server numbers it.
struct MongoError: Error, Sendable, CustomStringConvertible {
    let domain: UInt32
    let code: UInt32
    /// As it came: may quote the URI.
    let message: String

    /// An error that the server reports in a reply.
    init(server code: UInt32, message: String) {
        self.init(domain: MONGOC_ERROR_SERVER.rawValue, code: code, message: message)
    }

    init(domain: UInt32, code: UInt32, message: String) {
        self.domain = domain
        self.code = code
        self.message = message
    }

    /// The numbers only.
    var description: String { "MongoDB error \(domain)/\(code)" }

    var isDuplicateKey: Bool { code == MONGOC_ERROR_DUPLICATE_KEY.rawValue }
    /// We are who we say, but may not do this.
    var isMissingRight: Bool { code == 13 }
    /// A server on its own, one too old, or a database that speaks MongoDB's protocol without this part.
    var isWithoutChangeStreams: Bool { [40573, 40324, 59, 115, 303].contains(code) }
}

extension StoreError.Code {
    init(_ error: MongoError) {
        let code = error.code
        switch mongoc_error_domain_t(error.domain) {
        case MONGOC_ERROR_SERVER, MONGOC_ERROR_WRITE_CONCERN, MONGOC_ERROR_QUERY, MONGOC_ERROR_COMMAND:
            self =
                unauthorizedCodes.contains(code) ? .unauthorized : passingCodes.contains(code) ? .unavailable : .refused
        case MONGOC_ERROR_SASL, MONGOC_ERROR_SCRAM: self = .unauthorized
        case MONGOC_ERROR_CLIENT:
            self = code == MONGOC_ERROR_CLIENT_AUTHENTICATE.rawValue ? .unauthorized : .unavailable
        case MONGOC_ERROR_STREAM, MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_POOL: self = .unavailable
        default: self = .refused
        }
    }
}

/// AuthenticationFailed, Unauthorized, the hosted service's own.
private let unauthorizedCodes: Set<UInt32> = [18, 13, 8000]

/// What passes by itself, from MongoDB's list of error codes: host unreachable or not found, timeouts, network errors,
/// lost cursors, elections and shutdowns.
private let passingCodes: Set<UInt32> = [
    6, 7, 43, 50, 89, 91, 112, 134, 136, 175, 189, 202, 237, 262, 317, 384, 9001, 10107, 11600, 11602, 13388, 13435,
    13436,
]
