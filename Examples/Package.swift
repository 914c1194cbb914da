// swift-tools-version: 6.2
import PackageDescription

// Programs that import the runtime as a library, each in a file.
let package = Package(
    name: "examples",
    dependencies: [
        .package(name: "runtime", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .target(name: "MemoryStore", dependencies: [.product(name: "BotRuntime", package: "runtime")]),
        .executableTarget(
            name: "TaskRunner",
            dependencies: [
                "MemoryStore", .product(name: "BotRuntime", package: "runtime"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "EmbeddedDocker",
            dependencies: [
                "MemoryStore", .product(name: "BotRuntime", package: "runtime"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
