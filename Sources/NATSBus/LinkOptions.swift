import CNats

/// Owns the options of a connection; the library copies them when it connects.
struct LinkOptions: ~Copyable {
    let pointer: OpaquePointer

    init(_ options: NATSConnectionOptions, _ servers: Servers) throws(NATSError) {
        for text in [options.name, options.credentialsFile, options.caFile, options.certificateFile, options.keyFile] {
            guard text?.utf8.contains(0) != true else {
                throw NATSError(.invalidOptions, "NATS options: a text holds a NUL character; any other is allowed")
            }
        }
        guard (options.certificateFile == nil) == (options.keyFile == nil) else {
            throw NATSError(
                .invalidOptions,
                "NATS options: a client's certificate and its key are only allowed together"
            )
        }
        var created: OpaquePointer?
        try natsOptions_Create(&created).check("options")
        guard let created else { throw NATSError(NATS_NO_MEMORY, "options") }
        do throws(NATSError) { try Self.set(created, options, servers) } catch {
            natsOptions_Destroy(created)
            throw error
        }
        pointer = created
    }

    deinit { natsOptions_Destroy(pointer) }

    /// Has the callbacks told this context.
    borrowing func setCallbacks(_ context: UnsafeMutableRawPointer) -> natsStatus {
        let steps = [
            natsOptions_SetReconnectedCB(pointer, linkConnected, context),
            natsOptions_SetDisconnectedCB(pointer, linkDisconnected, context),
            natsOptions_SetErrorHandler(pointer, linkFailed, context),
            natsOptions_SetClosedCB(pointer, linkClosed, context),
        ]
        return steps.first { $0 != NATS_OK } ?? NATS_OK
    }

    private static func set(
        _ pointer: OpaquePointer,
        _ options: NATSConnectionOptions,
        _ servers: Servers
    ) throws(NATSError) {
        func check(_ status: natsStatus, _ what: String) throws(NATSError) {
            guard status != NATS_OK else { return }
            throw NATSError(.invalidOptions, NATSError(status, what, detail: lastDetail(servers)).message)
        }
        try check(
            withPointers(to: servers.urls) { natsOptions_SetServers(pointer, $0, Int32($1)) },
            "servers \(servers.shown)"
        )
        switch servers.credentials {
        case .user(let name, let password): try check(natsOptions_SetUserInfo(pointer, name, password), "user")
        case .token(let token): try check(natsOptions_SetToken(pointer, token), "token")
        case nil: break
        }
        try check(natsOptions_SetName(pointer, options.name), "name")
        if let file = options.credentialsFile {
            try check(natsOptions_SetUserCredentialsFromFiles(pointer, file, nil), "credentials file \(file)")
        }
        if servers.usesTLS || options.caFile != nil || options.certificateFile != nil {
            try check(natsOptions_SetSecure(pointer, true), "TLS")
        }
        if let file = options.caFile {
            try check(natsOptions_LoadCATrustedCertificates(pointer, file), "CA file \(file)")
        }
        if let certificate = options.certificateFile, let key = options.keyFile {
            let status = natsOptions_LoadCertificatesChain(pointer, certificate, key)
            try check(status, "certificate \(certificate) with key \(key)")
        }
        let wait = options.reconnectWait.milliseconds
        try check(natsOptions_SetMaxReconnect(pointer, -1), "reconnects")
        try check(natsOptions_SetReconnectWait(pointer, wait), "reconnect wait")
        try check(natsOptions_SetReconnectJitter(pointer, wait / 2, wait / 2), "reconnect jitter")
        try check(natsOptions_SetTimeout(pointer, options.connectTimeout.milliseconds), "connect timeout")
        try check(natsOptions_SetPingInterval(pointer, options.pingInterval.milliseconds), "ping interval")
        try check(natsOptions_SetMaxPingsOut(pointer, 2), "pings")
        // Without it a hung server would block whoever sends, once the line is full.
        try check(natsOptions_SetWriteDeadline(pointer, options.requestTimeout.milliseconds), "write deadline")
        try check(natsOptions_SetFailRequestsOnDisconnect(pointer, true), "failing requests")
        // Acknowledgements are few, and the next event waits for them.
        try check(natsOptions_SetSendAsap(pointer, true), "sending at once")
    }
}

/// C strings while the call lasts.
private func withPointers(
    to texts: [String],
    _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>?, Int) -> natsStatus
) -> natsStatus {
    // One block of all texts, each closed by a NUL, which `Servers` doesn't let into a URL.
    let block = texts.flatMap { Array($0.utf8CString) }
    return block.withUnsafeBufferPointer { block in
        var pointers: [UnsafePointer<CChar>?] = []
        var offset = 0
        for text in texts {
            pointers.append(block.baseAddress.map { $0 + offset })
            offset += text.utf8CString.count
        }
        return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count) }
    }
}
