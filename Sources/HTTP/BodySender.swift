import CCurl

/// Gives libcurl a request's body piece by piece.
struct BodySender {
    enum Step {
        case copied(Int)
        case pause
        case failed(HTTPError)
    }

    private enum Source {
        case bytes
        case stream(UploadChannel)
    }
    private let source: Source
    private var current: [UInt8]
    private var position = 0
    private var total = 0

    init(_ exchange: Exchange) {
        if let upload = exchange.upload {
            source = .stream(upload)
            current = []
        } else if case .bytes(let bytes) = exchange.request.body {
            source = .bytes
            current = bytes
        } else {
            source = .bytes
            current = []
        }
    }

    /// Copies what is there, up to the target's size; 0 bytes is the end.
    mutating func copy(to target: UnsafeMutableRawBufferPointer) -> Step {
        if position == current.count, case .stream(let upload) = source {
            switch upload.take() {
            case .chunk(let chunk):
                current = chunk
                position = 0
            case .wait: return .pause
            case .end: return .copied(0)
            case .failed(let error): return .failed(error)
            }
        }
        let count = min(target.count, current.count - position)
        current.withUnsafeBytes { bytes in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
        }
        position += count
        total += count
        return .copied(count)
    }

    /// Goes back to the start, as libcurl asks when it sends a request again because a kept connection
    /// turned out to be dead; false when the source can't be had twice.
    mutating func rewind() -> Bool {
        if case .stream = source, total > 0 { return false }
        position = 0
        total = 0
        return true
    }
}
