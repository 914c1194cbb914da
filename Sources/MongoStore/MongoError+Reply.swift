import Model

extension MongoError {
    /// The first error that the reply to a write carries, where it carries one.
    init?(reply: UnsafeRawBufferPointer) {
        let object: JSONObject
        do throws(BSONError) { object = try BSONReader.document(reply) } catch {
            self.init(server: 0, message: "the reply makes no sense: \(error.path) \(error.problem)")
            return
        }
        guard let failure = Self.errors(in: object).first else { return nil }
        self.init(failure)
    }

    /// An error as a reply lists it.
    init(_ failure: JSONObject) {
        let number: UInt32 =
            if case .integer(let number)? = failure["code"] { UInt32(clamping: number) } else { 0 }
        self.init(server: number, message: failure["errmsg"]?.string ?? "refused without a reason")
    }

    private static func errors(in reply: JSONObject) -> [JSONObject] {
        ["writeErrors", "writeConcernErrors", "writeConcernError"].flatMap { name -> [JSONObject] in
            switch reply[name] {
            case .array(let elements)?: elements.compactMap(\.object)
            case .object(let object)?: [object]
            default: []
            }
        }
    }
}
