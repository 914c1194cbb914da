import FoundationEssentials
import HTTP
import Model
import Util

/// The credential of a connection as it is now: files are read again, programs run again when what they gave ends.
actor Credentials {
    /// What a request is sent with.
    struct Identity: Sendable {
        /// The value of the Authorization header; nil for none.
        var authorization: String?
        var tls: TLSOptions
    }

    private let credential: Credential
    private let tls: TLSOptions
    private let maximumAge: Duration
    private let now: @Sendable () -> Timestamp
    private var identity: Identity?
    private var readAt: ContinuousClock.Instant?
    private var expiry: Timestamp?
    /// A program runs once, however many requests wait for what it gives.
    private let turn = AsyncSemaphore(permits: 1)

    /// - Parameters:
    ///   - maximumAge: how long a token that was read from a file is used before the file is read again.
    ///   - now: what the time is.
    init(
        _ connection: ClusterConnection,
        maximumAge: Duration = .seconds(10),
        now: @escaping @Sendable () -> Timestamp = { .now }
    ) {
        credential = connection.credential
        tls = connection.tls
        self.maximumAge = maximumAge
        self.now = now
    }

    /// What to send now.
    /// - Throws: ``K8sError`` with code `credential` when there is none to be had.
    func current() async throws(K8sError) -> Identity {
        switch credential {
        case .none: return Identity(tls: tls)
        case .token(let token): return Identity(authorization: "Bearer \(token)", tls: tls)
        case .password(let user, let password):
            let text = Data("\(user):\(password)".utf8).base64EncodedString()
            return Identity(authorization: "Basic \(text)", tls: tls)
        case .tokenFile(let path): return try fromFile(path)
        case .exec(let plugin): return try await fromProgram(plugin)
        }
    }

    /// Takes note that the server refused what was sent: the next request reads or asks anew.
    /// - Returns: whether that may give something else.
    func refused(_ sent: Identity) -> Bool {
        switch credential {
        case .none, .token, .password: return false
        case .tokenFile, .exec:
            // Another request may have renewed it already.
            if identity?.authorization == sent.authorization, identity?.tls == sent.tls { identity = nil }
            return true
        }
    }

    private func fromFile(_ path: String) throws(K8sError) -> Identity {
        let now = ContinuousClock.now
        if let identity, let readAt, readAt.duration(to: now) < maximumAge { return identity }
        let bytes: [UInt8]
        do { bytes = try readSmallFile(path) } catch {
            throw K8sError(.credential, "token file \(path.escapedForMessage) \(error)")
        }
        let token = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        guard Credential.isToken(token) else {
            throw K8sError(.credential, "token file \(path.escapedForMessage) holds no token")
        }
        let fresh = Identity(authorization: "Bearer \(token)", tls: tls)
        identity = fresh
        readAt = now
        return fresh
    }

    private var unexpired: Identity? {
        guard let identity else { return nil }
        // Ten seconds are for the way to the server, and for its clock.
        if let expiry, expiry <= now().advanced(by: .seconds(10)) { return nil }
        return identity
    }

    private func fromProgram(_ plugin: ExecPlugin) async throws(K8sError) -> Identity {
        if let unexpired { return unexpired }
        do { return try await turn.withPermit { try await self.renewed(plugin) } } catch let error as K8sError {
            throw error
        } catch {
            throw K8sError(.cancelled, "cancelled", cause: error)
        }
    }

    private func renewed(_ plugin: ExecPlugin) async throws(K8sError) -> Identity {
        // Whoever had the turn before may have renewed it.
        if let unexpired { return unexpired }
        let issued = try await plugin.run()
        if let end = issued.expiry, end <= now() {
            throw K8sError(.credential, "\(plugin.origin): \(plugin.command) gave a credential that ended at \(end)")
        }
        var fresh = Identity(authorization: issued.token.map { "Bearer \($0)" }, tls: tls)
        if let certificate = issued.certificate {
            fresh.tls.certificateFile = nil
            fresh.tls.keyFile = nil
            fresh.tls.certificateData = certificate
            fresh.tls.keyData = issued.key
        }
        identity = fresh
        expiry = issued.expiry
        return fresh
    }
}
