import CNats

extension NATSError {
    /// What the library reports of a call.
    init(_ status: natsStatus, _ what: String, detail: String = "") {
        let reason = String(cString: natsStatus_GetText(status))
        let words = detail.isEmpty || detail == reason ? reason : "\(reason), \(detail)"
        self.init(Code(status), "NATS: \(what): \(words)")
    }

    /// What the library reports of a question to JetStream.
    init(_ status: natsStatus, _ error: jsErrCode, _ what: String, detail: String = "") {
        let code: Code =
            switch error {
            case JSStreamNotFoundErr, JSConsumerNotFoundErr: .notFound
            // Where JetStream is switched off there are no streams.
            case JSNotEnabledErr, JSNotEnabledForAccountErr: .notFound
            case jsErrCode(0): status == NATS_NO_RESPONDERS ? .notFound : Code(status)
            case JSClusterNotAvailErr, JSClusterNotLeaderErr, JSClusterIncompleteErr, JSClusterNotAssignedErr,
                JSInsufficientResourcesErr, JSStreamOfflineErr, JSConsumerOfflineErr, JSNoAccountErr:
                .unavailable
            default: .refused
            }
        let reason = String(cString: natsStatus_GetText(status))
        let number = error.rawValue == 0 ? "" : " (JetStream error \(error.rawValue))"
        self.init(code, "NATS: \(what): \(detail.isEmpty ? reason : detail)\(number)")
    }
}

extension NATSError.Code {
    fileprivate init(_ status: natsStatus) {
        switch status {
        case NATS_INVALID_ARG, NATS_ADDRESS_MISSING, NATS_INVALID_SUBJECT, NATS_INVALID_QUEUE_NAME:
            self = .invalidOptions
        case NATS_CONNECTION_AUTH_FAILED, NATS_NOT_PERMITTED: self = .unauthorized
        case NATS_NOT_FOUND: self = .notFound
        case NATS_MAX_PAYLOAD, NATS_NO_SERVER_SUPPORT: self = .refused
        default: self = .unavailable
        }
    }
}

extension natsStatus {
    /// - Throws: ``NATSError`` unless the call succeeded.
    func check(_ what: @autoclosure () -> String) throws(NATSError) {
        guard self != NATS_OK else { return }
        throw NATSError(self, what())
    }
}
