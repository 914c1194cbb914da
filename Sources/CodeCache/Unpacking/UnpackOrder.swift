import Glibc
import Model
public import ObjectStorage
public import Runtime

/// What is to be unpacked: the content of `code.json`, which a Pod's init container is given.
///
/// ```json
/// {"url": "https://…", "sha256": "…", "state_url": "https://…", "ca": "-----BEGIN CERTIFICATE-----…"}
/// ```
/// Only `url` has to be there. Whoever has it may fetch the code, so nothing of it is in any error.
public struct UnpackOrder: Sendable, Hashable {
    /// The most bytes of the file; a Secret has no more.
    public static let maximumBytes = 1 << 20

    /// Where the code is, a zip.
    public let code: ObjectLink
    /// What the zip's digest has to be, in lower-case hexadecimal; nil: anything.
    public let sha256: String?
    /// Where the archive of the bot's state is, a `tar.gz`; nil: there is none to restore.
    public let state: ObjectLink?

    /// An order.
    /// - Parameters:
    ///   - code: where the code is, a zip.
    ///   - sha256: what the zip's digest has to be, in lower-case hexadecimal; nil: anything.
    ///   - state: where the archive of the bot's state is, with the code's authorities; nil: there is none to restore.
    public init(code: ObjectLink, sha256: String? = nil, state: ObjectLink? = nil) {
        self.code = code
        self.sha256 = sha256
        self.state = state
    }

    /// Reads a file.
    /// - Parameter path: its path.
    /// - Throws: `RunnerError` with code `refused` that says what is wrong with it, without repeating it.
    public static func read(_ path: String) throws(RunnerError) -> UnpackOrder {
        let place = path.quotedForError
        let bytes: [UInt8]?
        do throws(RunnerError) { bytes = try SmallFile.read(path, limit: maximumBytes) } catch {
            throw RunnerError(.refused, "\(place) can't be read: \(error.message)")
        }
        guard let bytes else {
            throw RunnerError(.refused, "\(place): there is no such file of up to \(maximumBytes) bytes")
        }
        do throws(RunnerError) { return try UnpackOrder(json: bytes) } catch {
            throw RunnerError(.refused, "\(place): \(error.message)")
        }
    }

    /// Reads JSON text.
    /// - Throws: `RunnerError` with code `refused`.
    public init(json: [UInt8]) throws(RunnerError) {
        // A parser's error may quote what it read.
        guard let object = (try? JSONValue.parse(json))?.object else {
            throw RunnerError(.refused, "expected a JSON object with url, and perhaps sha256, state_url and ca")
        }
        func text(_ name: String) throws(RunnerError) -> String? {
            switch object[name] {
            case nil, .null: return nil
            case .string(let text): return text
            default: throw RunnerError(.refused, "\(name): expected text")
            }
        }
        let authorities = try text("ca")
        func link(_ name: String) throws(RunnerError) -> ObjectLink? {
            guard let url = try text(name) else { return nil }
            do throws(ObjectStorageError) { return try ObjectLink(url: url, authorities: authorities) } catch {
                throw RunnerError(.refused, "\(name): \(error.message)")
            }
        }
        guard let code = try link("url") else { throw RunnerError(.refused, "url: is missing") }
        let sha256 = try text("sha256")
        if let sha256, !Digest.isOne(sha256) {
            throw RunnerError(.refused, "sha256: expected 64 lower-case hexadecimal digits")
        }
        self.init(code: code, sha256: sha256, state: try link("state_url"))
    }

    /// The JSON text.
    public var json: String {
        var object: JSONObject = ["url": .string(code.url)]
        if let sha256 { object["sha256"] = .string(sha256) }
        if let state { object["state_url"] = .string(state.url) }
        if let authorities = code.authorities { object["ca"] = .string(authorities) }
        return JSONValue.object(object).text
    }
}
