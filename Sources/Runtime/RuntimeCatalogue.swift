public import Entrypoints
import Model

/// A language that bots can be written in: how they are started, and in which image.
public struct LanguageRuntime: Sendable, Hashable {
    /// The catalogue's key, as a bot's `runtime` names it.
    public let name: String
    /// The image its bots run in.
    public let image: String
    /// How its bots are started.
    public let entrypoint: EntrypointKind

    /// A language runtime.
    public init(name: String, image: String, entrypoint: EntrypointKind) {
        self.name = name
        self.image = image
        self.entrypoint = entrypoint
    }
}

/// The one table of language runtimes, used by every backend.
public struct RuntimeCatalogue: Sendable {
    private var runtimes: [String: LanguageRuntime]

    /// The runtimes as they ship.
    public static let standard = RuntimeCatalogue([
        LanguageRuntime(name: "python3.11", image: "python:3.11-slim", entrypoint: .python),
        LanguageRuntime(name: "nodejs20", image: "node:20-alpine", entrypoint: .node),
        LanguageRuntime(name: "rust-stable", image: "rust:1.83-slim", entrypoint: .native),
        LanguageRuntime(name: "dotnet8", image: "mcr.microsoft.com/dotnet/runtime:8.0", entrypoint: .dotnet),
        LanguageRuntime(name: "gcc13", image: "gcc:13", entrypoint: .native),
        LanguageRuntime(name: "cpp-gcc13", image: "gcc:13", entrypoint: .native),
        LanguageRuntime(name: "scala3", image: "eclipse-temurin:21-jre", entrypoint: .jvm),
        LanguageRuntime(name: "ghc96", image: "haskell:9.6-slim", entrypoint: .native),
    ])

    /// A catalogue of its own; of runtimes with one name the first counts.
    public init(_ runtimes: [LanguageRuntime]) {
        self.runtimes = Dictionary(runtimes.map { ($0.name, $0) }) { first, _ in first }
    }

    /// All runtimes, by name.
    public var all: [LanguageRuntime] { runtimes.values.sorted { $0.name < $1.name } }

    /// The runtime of this name, or nil.
    public subscript(name: String) -> LanguageRuntime? { runtimes[name] }

    /// The catalogue with other images for some runtimes, as from a private mirror.
    /// - Throws: ``CatalogueError`` for an unknown runtime or an image without a name.
    public func overriding(images: [String: String]) throws(CatalogueError) -> RuntimeCatalogue {
        var result = self
        for (name, image) in images.sorted(by: { $0.key < $1.key }) {
            guard let runtime = runtimes[name] else { throw CatalogueError(unknown: name, known: all) }
            guard !image.isEmpty, image.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw CatalogueError(
                    description:
                        "image \(image.escapedForMessage) for runtime \(name): expected a name as registry/python:3.11-slim"
                )
            }
            result.runtimes[name] = LanguageRuntime(name: name, image: image, entrypoint: runtime.entrypoint)
        }
        return result
    }
}

/// A runtime that the catalogue doesn't have, or an image that can't be one.
public struct CatalogueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what is allowed.
    public let description: String

    init(description: String) { self.description = description }

    init(unknown name: String, known: [LanguageRuntime]) {
        description =
            "unknown runtime \(name.escapedForMessage); known are " + known.map(\.name).joined(separator: ", ")
    }
}
