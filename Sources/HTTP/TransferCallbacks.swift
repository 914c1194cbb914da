import CCurl

// libcurl's callbacks of one transfer, all on the loop's thread. They are functions at file scope because a closure
// written in actor-isolated code traps when a foreign thread calls it. The context is the `Transfer`, which the loop
// keeps alive until its handle is out of the multi handle.

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

func receiveCallback(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    // Another count than was given makes libcurl fail the transfer; nothing is ever given without context.
    transfer(context)?.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? -1
}

func headCallback(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
    return transfer(context)?.receiveHead(line) == true ? line.count : -1
}

func sendCallback(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    transfer(context)?.send(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        ?? Int(CURL_READFUNC_ABORT)
}

func seekCallback(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard offset == 0, origin == SEEK_SET, transfer(context)?.rewind() == true else { return CURL_SEEKFUNC_FAIL }
    return CURL_SEEKFUNC_OK
}

func progressCallback(
    _ context: UnsafeMutableRawPointer?,
    _ toReceive: curl_off_t,
    _ received: curl_off_t,
    _ toSend: curl_off_t,
    _ sent: curl_off_t
) -> Int32 {
    transfer(context)?.progressed(received: Int64(received), sent: Int64(sent))
    return 0
}

/// Installed for https only, to see TLS alerts: a server that refuses our certificate says so after a TLS 1.3
/// handshake is over, which libcurl reports like a broken connection.
func debugCallback(
    _ easy: UnsafeMutableRawPointer?,
    _ type: curl_infotype,
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    // RFC 8446, 6: an alert is a level, 2 for fatal, and a description. No other message has two bytes.
    if type == CURLINFO_SSL_DATA_IN, count == 2, let bytes, bytes[0] == 2 {
        transfer(context)?.tlsAlert = UInt8(bitPattern: bytes[1])
    }
    return 0
}

func prerequestCallback(
    _ context: UnsafeMutableRawPointer?,
    _ remoteAddress: UnsafeMutablePointer<CChar>?,
    _ localAddress: UnsafeMutablePointer<CChar>?,
    _ remotePort: Int32,
    _ localPort: Int32
) -> Int32 {
    transfer(context)?.willSend() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

func openCallback(
    _ context: UnsafeMutableRawPointer?,
    _ purpose: curlsocktype,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address, let transfer = transfer(context) else { return CURL_SOCKET_BAD }
    return transfer.open(address)
}
