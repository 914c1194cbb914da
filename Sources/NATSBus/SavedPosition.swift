import CNats
import Model

// How far a stream's events were worked off is kept beside it, in a key-value bucket of JetStream: the API deletes the
// stream, and our consumer with it, when it starts. Where runtime and API start together, nobody else would know that
// there was a consumer, and what was sent before the runtime was up would be left out.

/// Where a position is kept.
struct PositionKey: Sendable, Hashable {
    /// The bucket, which is the runtime's own.
    static let bucket = "the0-runtime"

    let stream: String
    let durable: String

    /// The key inside the bucket.
    var name: String { "\(stream).\(durable)" }
    /// The subject that sets the key.
    var subject: String { "$KV.\(Self.bucket).\(name)" }
}

extension StreamPosition {
    /// As it is kept.
    var text: String {
        JSONValue.object(["stream_created": .integer(created), "sequence": .integer(Int64(clamping: sequence))]).text
    }

    /// Nil for text that is none: somebody else's.
    init?(text: String) {
        do throws(JSONSyntaxError) {
            guard let object = try JSONValue.parse(text).object, case .integer(let created) = object["stream_created"],
                case .integer(let number) = object["sequence"], let sequence = UInt64(exactly: number)
            else { return nil }
            self.init(created: created, sequence: sequence)
        } catch { return nil }
    }
}

extension Link {
    /// The position that was kept last; nil where there is none.
    func savedPosition(_ key: PositionKey) async throws(NATSError) -> StreamPosition? {
        let what = "reading \(key.name) of bucket \(PositionKey.bucket)"
        return try await keyValue(what) { context in
            var store: OpaquePointer?
            var status = js_KeyValue(&store, context, PositionKey.bucket)
            guard status == NATS_OK else { return (status, nil) }
            defer { kvStore_Destroy(store) }
            var entry: OpaquePointer?
            status = kvStore_Get(&entry, store, key.name)
            guard status == NATS_OK else { return (status, nil) }
            defer { kvEntry_Destroy(entry) }
            return (status, kvEntry_ValueString(entry).flatMap { StreamPosition(text: String(cString: $0)) })
        }
    }

    /// Keeps a position, making the bucket where there is none.
    func save(_ position: StreamPosition, _ key: PositionKey) async throws(NATSError) {
        let what = "writing \(key.name) of bucket \(PositionKey.bucket)"
        let text = position.text
        let isSaved: Bool? = try await keyValue(what) { context in
            var store: OpaquePointer?
            var status = js_KeyValue(&store, context, PositionKey.bucket)
            if status == NATS_NOT_FOUND {
                status = PositionKey.bucket.withCString { name in
                    var config = kvConfig()
                    kvConfig_Init(&config)
                    config.Bucket = name
                    config.History = 1
                    return js_CreateKeyValue(&store, context, &config)
                }
            }
            guard status == NATS_OK else { return (status, nil) }
            defer { kvStore_Destroy(store) }
            return (kvStore_PutString(nil, store, key.name, text), true)
        }
        guard isSaved == nil else { return }
        throw NATSError(.notFound, "NATS: \(what): there is no such bucket")
    }

    private func keyValue<Value: Sendable>(
        _ what: String,
        _ body: @escaping @Sendable (OpaquePointer) -> (natsStatus, Value?)
    ) async throws(NATSError) -> Value? {
        try await withJetStream(what) { context, servers throws(NATSError) in
            let (status, value) = body(context)
            switch status {
            case NATS_OK: return value
            case NATS_NOT_FOUND: return nil
            default: throw NATSError(status, what, detail: lastDetail(servers))
            }
        }
    }
}
