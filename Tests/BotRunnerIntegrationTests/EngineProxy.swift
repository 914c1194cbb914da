import Foundation
import Synchronization
import TestSupport

/// A socket between a runner and the engine, which a test can cut, hang, and bring back while the engine and its
/// containers run on.
final class EngineProxy: Sendable {
    /// DOCKER_HOST's value for it.
    let address: String
    private let command: [String]
    private let log: String
    private let process = Mutex<ChildProcess?>(nil)

    /// - Parameter engine: must answer on a Unix socket.
    init(to engine: DockerEngine, in folder: TemporaryFolder) async throws {
        guard engine.address.hasPrefix("unix://") else {
            throw FixtureError("\(engine.address): only an engine on a Unix socket can be cut off")
        }
        let socket = folder.file("proxy.sock")
        address = "unix://\(socket)"
        log = folder.file("proxy.log")
        command = ["python3", try folder.write("proxy.py", Self.script), String(engine.address.dropFirst(7)), socket]
        try await restore()
    }

    /// From now on it refuses connections; those that are open break.
    func cut() async {
        guard let running = process.withLock({ $0 }) else { return }
        running.killGroup()
        _ = await running.ended()
    }

    /// Brings it back after `cut()`.
    func restore() async throws {
        let started = try ChildProcess(command, output: log)
        process.withLock { $0 = started }
        let engine = DockerEngine(address: address)
        try await slowly("the proxy answers") { try await engine.docker("version").isEmpty ? nil : true }
    }

    /// From now on it accepts connections and never answers.
    func hang() { process.withLock { $0 }?.stop() }

    /// Goes on after `hang()`.
    func resume() { process.withLock { $0 }?.send(SIGCONT) }

    private static let script = """
        import asyncio, os, sys
        async def copy(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            except OSError:
                pass
            finally:
                writer.close()
        async def accept(reader, writer):
            try:
                engine_reader, engine_writer = await asyncio.open_unix_connection(sys.argv[1])
            except OSError:
                return writer.close()
            await asyncio.gather(copy(reader, engine_writer), copy(engine_reader, writer))
        async def main():
            if os.path.exists(sys.argv[2]):
                os.unlink(sys.argv[2])
            await (await asyncio.start_unix_server(accept, sys.argv[2])).serve_forever()
        asyncio.run(main())

        """
}
