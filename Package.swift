// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func systemLibrary(_ name: String, pkgConfig: String, debian: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

let package = Package(
    name: "runtime",
    products: [
        .executable(name: "runtime", targets: ["runtime-cli"]),
        .library(
            name: "BotRuntime",
            targets: [
                "Model", "Util", "Entrypoints", "Runtime", "Control", "HTTP", "Archive", "ObjectStorage", "CodeCache",
                "DockerMode", "LocalMode", "K8sMode", "Logs", "DirectoryStore", "MongoStore", "NATSBus",
            ]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // Without Foundation.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        systemLibrary("CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
        systemLibrary("CMongo", pkgConfig: "libmongoc-1.0", debian: "libmongoc-dev"),
        systemLibrary("CNats", pkgConfig: "libnats", debian: "libnats-dev"),
        systemLibrary("CArchive", pkgConfig: "libarchive", debian: "libarchive-dev"),
        .systemLibrary(name: "CLinux"),

        library("Model"),
        library("Util", [log]),
        library("Entrypoints"),
        library("Runtime", ["Model", "Entrypoints", "Util", crypto, log]),
        library(
            "Control",
            ["Model", "Runtime", "Util", log, metrics, .product(name: "HeapModule", package: "swift-collections")]
        ),

        library("HTTP", ["CCurl", log]),
        library("MongoStore", ["CMongo", "Model", "Util", "Control", crypto, log]),
        library("DirectoryStore", ["Model", "Util", "Runtime", "Control", crypto, yams, log]),
        library(
            "K8sMode",
            [
                "HTTP", "Model", "Runtime", "Entrypoints", "Control", "Util", yams, crypto, log,
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        library("NATSBus", ["CNats", "Model", "Util", "Control", log]),
        library("Archive", ["CArchive"]),
        library("ObjectStorage", ["HTTP", "Util", crypto, log]),
        library("Logs", ["Model", "Runtime", "ObjectStorage", "Util", crypto, log, metrics]),
        library("CodeCache", ["Archive", "Model", "ObjectStorage", "Runtime", "Util", crypto, log]),
        library("DockerMode", ["Model", "Runtime", "Entrypoints", "HTTP", "Util", crypto, log]),
        library(
            "LocalMode",
            [
                "CLinux", "Archive", "Model", "Runtime", "Entrypoints", "Util", crypto, log,
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        library(
            "Monitoring",
            [
                "Util", metrics, log, lifecycle,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .executableTarget(
            name: "runtime-cli",
            dependencies: [
                "Model", "Util", "Entrypoints", "Runtime", "Control", "HTTP", "MongoStore", "DirectoryStore", "NATSBus",
                "Archive", "ObjectStorage", "CodeCache", "DockerMode", "LocalMode", "Logs", "Monitoring", "CLinux",
                log, metrics, yams, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Archive", "Model", "Runtime", "Control", "Util"],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "bench",
            dependencies: [
                "TestSupport", "Model", "Runtime", "Control", "HTTP", "Util", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks",
            swiftSettings: settings
        ),
        tests("ModelTests", ["Model", "TestSupport"], resources: [.copy("Corpus")]),
        tests("UtilTests", ["Util", "TestSupport", log], resources: [.copy("Corpus")]),
        tests("EntrypointsTests", ["Entrypoints"]),
        tests("RuntimeTests", ["Runtime", "Model", "Entrypoints", "TestSupport"], resources: [.copy("Corpus")]),
        tests("ControlTests", ["Control", "Model", "Runtime", "Util", "TestSupport", log]),
        tests("HTTPTests", ["HTTP"]),
        tests("ArchiveTests", ["Archive", "TestSupport"], resources: [.copy("Corpus")]),
        tests(
            "K8sModeTests",
            ["K8sMode", "HTTP", "Model", "Runtime", "Entrypoints", "Control", "Util", "TestSupport", log]
        ),
        tests(
            "K8sModeIntegrationTests",
            ["K8sMode", "HTTP", "Model", "Runtime", "Entrypoints", "Control", "Archive", "Util", "TestSupport", log]
        ),
        tests("MonitoringTests", ["Monitoring", "Util", metrics, log, lifecycle]),
        tests(
            "CodeCacheTests",
            ["Archive", "CodeCache", "HTTP", "Model", "ObjectStorage", "Runtime", "Util", "TestSupport", log]
        ),
        tests(
            "LogsTests",
            ["Logs", "Model", "Runtime", "ObjectStorage", "HTTP", "Util", "TestSupport", log],
            resources: [.copy("Corpus")]
        ),
        tests(
            "LogsIntegrationTests",
            ["Logs", "Model", "Runtime", "ObjectStorage", "HTTP", "Util", "TestSupport", log]
        ),
        tests(
            "ObjectStorageTests",
            ["ObjectStorage", "HTTP", "Util", "TestSupport", log],
            resources: [.copy("Corpus")]
        ),
        tests("ObjectStorageIntegrationTests", ["ObjectStorage", "HTTP", "Util", "TestSupport", log]),
        tests(
            "MongoStoreTests",
            ["MongoStore", "CMongo", "Model", "Control", "Util", "TestSupport", log],
            resources: [.copy("Corpus")]
        ),
        tests("MongoStoreIntegrationTests", ["MongoStore", "CMongo", "Model", "Control", "Util", "TestSupport", log]),
        tests(
            "DirectoryStoreTests",
            ["DirectoryStore", "Model", "Control", "Util", "TestSupport", log],
            resources: [.copy("Corpus")]
        ),
        tests(
            "DockerModeTests",
            ["DockerMode", "Model", "Runtime", "Entrypoints", "HTTP", "Util", "TestSupport", log],
            resources: [.copy("Corpus")]
        ),
        tests(
            "DockerModeIntegrationTests",
            ["DockerMode", "Model", "Runtime", "Entrypoints", "Archive", "HTTP", "Util", "TestSupport", log]
        ),
        tests(
            "LocalModeTests",
            ["LocalMode", "Model", "Runtime", "Util", "TestSupport"],
            resources: [.copy("Corpus")]
        ),
        tests(
            "LocalModeIntegrationTests",
            ["LocalMode", "Model", "Runtime", "Util", "TestSupport", log]
        ),
        tests(
            "NATSBusTests",
            ["NATSBus", "Model", "Util", "Control", "TestSupport", log],
            resources: [.copy("Corpus")]
        ),
        tests("NATSBusIntegrationTests", ["NATSBus", "Model", "Util", "Control", "TestSupport", log]),
        tests(
            "RuntimeCLITests",
            [
                "runtime-cli", "Model", "Runtime", "Control", "DockerMode", "LocalMode", "ObjectStorage", "Monitoring",
                "Util",
                "TestSupport", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            resources: [.copy("Corpus")]
        ),
        tests("BotRunnerIntegrationTests", ["TestSupport", "Model", "Runtime"]),
        tests("DeploymentIntegrationTests", ["HTTP", "ObjectStorage", "TestSupport", "Util"]),
        tests("TestSupportTests", ["TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
