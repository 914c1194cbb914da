import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle
import Util

/// Serves `/healthz` (the process runs), `/readyz` (it can do its work) and `/metrics` over HTTP.
public struct StatusServer: Service {
    private let address: ListenAddress
    private let health: HealthState
    private let registry: PrometheusRegistry
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// A server that listens once it runs.
    ///
    /// - Parameters:
    ///   - address: where to listen; port 0 lets the system choose one.
    ///   - health: what `/readyz` tells.
    ///   - registry: what `/metrics` shows, besides the process' own metrics.
    ///   - logger: told where it listens.
    ///   - onListening: told the port once connections are accepted.
    public init(
        address: ListenAddress,
        health: HealthState,
        registry: PrometheusRegistry,
        logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) {
        self.address = address
        self.health = health
        self.registry = registry
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until graceful shutdown or cancellation.
    ///
    /// - Throws: ``MonitoringError`` with code `cannotListen`, naming the address, when that is taken or not this
    ///   machine's.
    public func run() async throws {
        // "::" takes IPv4 too, but a machine may have no IPv6 at all.
        let hosts = address.host.isEmpty ? ["::", "0.0.0.0"] : [address.host]
        for host in hosts {
            do {
                try await serve(host: host)
                return
            } catch let error where host != hosts.last && ListenFailure(error).isAddressMissing {
                continue
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                throw ListenFailure(error).described(address)
            }
        }
    }

    private func serve(host: String) async throws {
        var quiet = logger
        // Hummingbird tells of starts, stops and requests by itself, in sentences with values in them.
        quiet.logLevel = max(logger.logLevel, .error)
        // Hummingbird's `Application` would keep the time for the Date field, waking up each second for it.
        let responder = router().buildResponder()
        let server = try HTTPServerBuilder.http1(configuration: Self.limits).buildServer(
            configuration: ServerConfiguration(
                address: .hostname(host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(256)
            ),
            eventLoopGroup: EventLoopGroupProvider.singleton.eventLoopGroup,
            logger: quiet,
            responder: { [quiet] request, writer, channel in
                let context = BasicRequestContext(source: .init(channel: channel, logger: quiet))
                var response = try await responder.respond(to: request, context: context)
                response.headers[.date] = HTTPDate.text(.now)
                try await writer.write(response: response.head, body: response.body)
            },
            onServerRunning: { [address, logger, onListening] channel in
                let port = channel.localAddress?.port ?? address.port
                logger.info("status server is listening", metadata: ["host": "\(host)", "port": "\(port)"])
                await onListening(port)
            }
        )
        try await server.run()
        try Task.checkCancellation()
    }

    /// Probes and scrapes send little: whoever sends more, or nothing for half a minute, is cut off.
    private static var limits: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            idleTimeout: .seconds(30),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 8_192,
                maxHeaderListSize: 16_384,
                maxHeaderFieldCount: 64
            )
        )
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.get("healthz") { _, _ in
            respond(.ok, "text/plain; charset=utf-8", "ok\n")
        }
        router.get("readyz") { [health] _, _ in
            let (isReady, body) = health.readiness()
            return respond(isReady ? .ok : .serviceUnavailable, "application/json", body + "\n")
        }
        router.get("metrics") { [registry] _, _ in
            respond(.ok, PrometheusText.contentType, ProcessMetrics().render() + registry.render())
        }
        return router
    }
}

private func respond(_ status: HTTPResponse.Status, _ type: String, _ body: String) -> Response {
    Response(
        status: status,
        headers: [.contentType: type, .cacheControl: "no-store"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: body))
    )
}
