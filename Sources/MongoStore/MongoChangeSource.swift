public import Control
import Logging
import Util

/// Wakes bots whose documents change, through a change stream, where the server has those (replica sets and sharded
/// clusters do).
///
/// An insertion or a change wakes its bot, a removal everything: it doesn't say which bot's the document was. After a short
/// interruption the library resumes the stream where it was; no position is kept beyond that: a stream that has to be
/// opened anew wakes everything, which finds whatever was missed.
public struct MongoChangeSource: WakeSource {
    /// What it is called in logs.
    public let name: String

    private let connection: MongoConnection
    private let collection: CollectionName
    private let interest: ChangeInterest
    private let backoff: Backoff

    /// Watches a collection.
    ///
    /// - Parameters:
    ///   - connection: how to reach the server; the stream has a connection of its own there.
    ///   - database: the database's name.
    ///   - collection: the collection's name.
    public init(_ connection: MongoConnection, database: String = "bot_runner", collection: String = "bots") {
        self.init(connection, CollectionName(database: database, collection: collection))
    }

    /// Watches the schedules; not when their cursors are moved by schedulers.
    public static func schedules(_ connection: MongoConnection) -> MongoChangeSource {
        let collection = CollectionName(database: "bot_scheduler", collection: "bot_schedules")
        return MongoChangeSource(connection, collection, .schedules)
    }

    /// Watches for runs that somebody asks for; a wake tells the schedule.
    public static func askedRuns(_ connection: MongoConnection) -> MongoChangeSource {
        let collection = CollectionName(database: "bot_scheduler", collection: "runs")
        return MongoChangeSource(connection, collection, .askedRuns, name: "mongodb runs")
    }

    init(
        _ connection: MongoConnection,
        _ collection: CollectionName,
        _ interest: ChangeInterest = .everything,
        name: String = "mongodb"
    ) {
        (self.connection, self.collection, self.interest, self.name) = (connection, collection, interest, name)
        backoff = (try? Backoff(initial: .milliseconds(200), maximum: .seconds(5))) ?? .standard
    }

    /// Watches until cancelled; then returns at once, while what is asked of the server runs out within seconds.
    public func watch(_ wake: @escaping @Sendable (Wake) -> Void) async {
        var failures = 0
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            do throws(StoreError) {
                try await follow(wake, failures: &failures)
            } catch {
                guard error.code != .cancelled else { return }
                guard error.mongoError?.isWithoutChangeStreams != true else {
                    connection.logger.info(
                        "no change streams here: changes are found by polling",
                        metadata: ["reason": "\(error)"]
                    )
                    return await untilCancelled()
                }
                failures += 1
                connection.logger.log(
                    level: failures == 1 ? .warning : .debug,
                    "no change stream, opening one again",
                    metadata: ["error": "\(error)", "failures": "\(failures)"]
                )
                // Cancelled while waiting: the loop ends.
                try? await Task.sleep(for: backoff.delay(attempt: failures, using: &generator))
            }
        }
    }

    /// Opens a stream and follows it for as long as it lasts. Failures are over once it has lasted for a while.
    private func follow(_ wake: @Sendable (Wake) -> Void, failures: inout Int) async throws(StoreError) {
        let (uri, collection, interest, what) = (connection.uri, collection, interest, "watching \(collection)")
        // The stream blocks nearly always: it would take a thread from the connection's calls for good.
        let executor = try BlockingExecutor.mongo("mongo-changes", threads: 1)
        let stream = try await executor.abandonable(what) { () throws(StoreError) in
            try ChangeStream(uri, collection, interest)
        }
        connection.logger.log(level: failures > 0 ? .info : .debug, "change stream open")
        wake(.everything)
        while true {
            let next = try await executor.abandonable(what) { () throws(StoreError) in try stream.next() }
            failures = 0
            if let next { wake(next) }
        }
    }

    private func untilCancelled() async {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
    }
}
