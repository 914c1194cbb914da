import ArgumentParser
import Foundation
import HTTP
import Monitoring

/// `runtime health`: asks a running service whether it is well, where there is no other program to ask with.
struct HealthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Asks a service on this machine whether it is well; for health checks of containers.",
        discussion: """
            Ends with 0 when it is, with 69 when it isn't or doesn't answer. Reads the address from --listen, else LISTEN.

            Example:
              runtime health --ready
            """
    )

    @Option(help: ArgumentHelp("The address that the service listens on (:8080).", valueName: "address"))
    var listen: String?

    @Flag(help: "Ask whether it is ready (/readyz), not only whether it is alive (/healthz).")
    var ready = false

    func run() async throws {
        let address: ListenAddress
        do throws(MonitoringError) {
            address = try ListenAddress(listen ?? ProcessInfo.processInfo.environment["LISTEN"] ?? ":8080")
        } catch {
            throw CommandExit.failing(CommandExit.configuration, error)
        }
        let client = HTTPClient(maxConnections: 1)
        defer { client.shutdown() }
        let request = HTTPRequest(
            url: "http://\(address.loopback)/\(ready ? "readyz" : "healthz")",
            deadlines: HTTPDeadlines(connect: .seconds(2), idle: .seconds(3), total: .seconds(4))
        )
        do throws(HTTPError) {
            let response = try await client.execute(request)
            let body = try await response.body.collect(upTo: 1 << 20)
            print(TextTable.printable(String(decoding: body, as: UTF8.self)))
            guard response.status == 200 else { throw HTTPError(.other, "\(request.url): status \(response.status)") }
        } catch {
            throw CommandExit.failing(CommandExit.unavailable, error)
        }
    }
}

extension ListenAddress {
    /// Where this machine reaches it.
    var loopback: String {
        switch host {
        case "", "0.0.0.0": "127.0.0.1:\(port)"
        case "::": "[::1]:\(port)"
        default: description
        }
    }
}
