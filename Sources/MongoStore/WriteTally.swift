import Model

/// What became of many writes of one command.
struct WriteTally: Sendable {
    /// How many documents were added, found or removed.
    var count: Int
    /// Which writes were refused, by their place in the command.
    var failures: [Int: MongoError]

    /// Reads the reply to a command.
    static func of(reply bytes: UnsafeRawBufferPointer) -> Result<WriteTally, MongoError> {
        let reply: JSONObject
        do throws(BSONError) { reply = try BSONReader.document(bytes) } catch {
            return .failure(senseless("\(error.path) \(error.problem)"))
        }
        // Written, but perhaps not for good.
        if let concern = reply["writeConcernError"]?.object { return .failure(MongoError(concern)) }
        guard let count = number(reply["n"]) else { return .failure(senseless("it says nothing of a number")) }
        var failures: [Int: MongoError] = [:]
        if case .array(let errors)? = reply["writeErrors"] {
            for error in errors.compactMap(\.object) {
                guard let index = number(error["index"]) else { return .failure(MongoError(error)) }
                failures[index] = MongoError(error)
            }
        }
        return .success(WriteTally(count: count, failures: failures))
    }

    private static func senseless(_ problem: String) -> MongoError {
        MongoError(server: 0, message: "the reply makes no sense: \(problem)")
    }

    private static func number(_ value: JSONValue?) -> Int? {
        guard case .integer(let number)? = value else { return nil }
        return Int(exactly: number)
    }
}
