import CNats
import Util

// At file scope, so that they belong to no actor: the library calls them from threads of its own.
// Each gets the link's state, retained until the last of them: `linkClosed`, which the library posts after it has joined
// every thread that could post another.

func linkConnected(_ connection: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    state(context)?.connected()
}

func linkDisconnected(_ connection: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    guard let state = state(context) else { return }
    state.disconnected(lastError(connection, state))
}

func linkFailed(
    _ connection: OpaquePointer?,
    _ subscription: OpaquePointer?,
    _ status: natsStatus,
    _ context: UnsafeMutableRawPointer?
) {
    guard let state = state(context) else { return }
    state.failed(lastError(connection, state) ?? NATSError(status, state.servers.shown))
}

func linkClosed(_ connection: OpaquePointer?, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    let state = Unmanaged<LinkState>.fromOpaque(context).takeRetainedValue()
    state.closed(lastError(connection, state))
}

private func state(_ context: UnsafeMutableRawPointer?) -> LinkState? {
    context.map { Unmanaged<LinkState>.fromOpaque($0).takeUnretainedValue() }
}

/// The library's words quote the server's, which may quote a URL.
private func lastError(_ connection: OpaquePointer?, _ state: LinkState) -> NATSError? {
    guard let connection else { return nil }
    var text: UnsafePointer<CChar>?
    let status = natsConnection_GetLastError(connection, &text)
    guard status != NATS_OK else { return nil }
    let detail = text.map { state.servers.secrets.redact(String(cString: $0)) } ?? ""
    return NATSError(status, state.servers.shown, detail: detail)
}
