import CMongo
import Control
import Util

/// A checked connection string with our timeouts where it has none.
///
/// Safety: the C object is only changed in `init`; afterwards it is read and copied, which libmongoc allows from any
/// thread.
final class MongoURI: @unchecked Sendable {
    /// What a server selection may take, so that a dead server is noticed in seconds and found again as soon.
    static let defaults: [(name: String, value: Int32)] = [
        (MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 3000),
        // A lost connection is noticed at once; a server that hangs after this and the next, which is sooner than a read that
        // waits for it is given up: so no read waits a second time. Each look costs as much as all else at rest.
        (MONGOC_URI_HEARTBEATFREQUENCYMS, 5000),
        (MONGOC_URI_CONNECTTIMEOUTMS, 3000),
        // The library's own is five minutes, for which a server that hangs would hang us.
        (MONGOC_URI_SOCKETTIMEOUTMS, 10_000),
        (MONGOC_URI_MAXPOOLSIZE, Int32(MongoConnection.threads)),
    ]

    let pointer: OpaquePointer
    /// The hosts as error messages name them.
    let hosts: String
    /// The least time after which a read on a silent server fails, in milliseconds.
    let socketTimeout: Int32
    /// What must not appear in any message.
    let secrets: Secrets

    init(_ text: String) throws(StoreError) {
        secrets = Secrets()
        for secret in passwords(in: text) { secrets.register(secret) }
        MongoLog.hide(passwords(in: text))
        let shown = Redaction.url(text)
        guard !text.utf8.contains(0) else {
            throw StoreError(.refused, "MongoDB URI \(shown): holds a NUL character")
        }
        var error = bson_error_t()
        guard let uri = mongoc_uri_new_with_error(text, &error) else {
            let reason = secrets.redact(error.text)
            throw StoreError(
                .refused,
                "MongoDB URI \(shown): \(reason); expected mongodb://[user:password@]host[:port][/?options]"
            )
        }
        for (name, value) in Self.defaults where !mongoc_uri_has_option(uri, name) {
            mongoc_uri_set_option_as_int32(uri, name, value)
        }
        if !mongoc_uri_has_option(uri, MONGOC_URI_APPNAME) { mongoc_uri_set_appname(uri, "the0-runtime") }
        pointer = uri
        hosts = hostList(uri)
        socketTimeout = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0)
    }

    deinit { mongoc_uri_destroy(pointer) }
}

extension bson_error_t {
    /// The library's words.
    var text: String {
        withUnsafePointer(to: self) { String(cString: cmongo_error_message($0)) }
    }
}

/// Whatever in a connection string may be a password: all after the first colon of the credentials, and its pieces,
/// since the library's messages quote what it made of them.
private func passwords(in uri: String) -> [String] {
    guard let at = uri.lastIndex(of: "@") else { return [] }
    var credentials = uri[..<at]
    if let scheme = credentials.firstRange(of: "://") { credentials = credentials[scheme.upperBound...] }
    guard let colon = credentials.firstIndex(of: ":") else { return [] }
    let password = credentials[credentials.index(after: colon)...]
    return [String(password)] + password.split { ":/@?&=,".contains($0) }.map(String.init)
}

private func hostList(_ uri: OpaquePointer) -> String {
    // A URI of mongodb+srv has no hosts before the name was looked up.
    if let service = mongoc_uri_get_srv_hostname(uri) { return String(cString: service) }
    var hosts: [String] = []
    var host = mongoc_uri_get_hosts(uri)
    while let current = host {
        hosts.append(String(cString: cmongo_host_text(current)))
        host = cmongo_host_next(current)
    }
    return hosts.joined(separator: ",")
}
