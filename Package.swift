// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

/// Everything is resolved at the start, and read-only afterwards, ld(1); Debian 13's gold does the first alone.
let hardening: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-z", "-Xlinker", "relro", "-Xlinker", "-z", "-Xlinker", "now"])
]

let package = Package(
    name: "mesher",
    products: [
        // Loaded into a process by the tests.
        .library(name: "disk-recorder", type: .dynamic, targets: ["CDiskRecorder"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C made importable: the libraries' own headers, and the smallest shims for what Swift cannot call.
        .systemLibrary(name: "CLibraries"),
        .target(name: "CSystem", path: "Sources/CShims/System"),
        .target(name: "CSandbox", path: "Sources/CShims/Sandbox"),
        .target(name: "CCurlOptions", path: "Sources/CShims/Curl"),
        .target(name: "CChecksum", path: "Sources/CShims/Checksum"),
        .target(
            name: "CJSON", path: "Sources/CShims/JSON",
            linkerSettings: [.linkedLibrary("simdjson")]),

        // What several programs share.
        .target(
            name: "Journal", dependencies: [.product(name: "Logging", package: "swift-log")], swiftSettings: settings),
        .target(name: "Configuration", dependencies: ["System"], swiftSettings: settings),
        .target(name: "Notation", swiftSettings: settings),
        .target(name: "System", dependencies: ["CSystem"], swiftSettings: settings),
        .target(name: "Confinement", dependencies: ["CSandbox", "System"], swiftSettings: settings),
        .target(name: "Scoreboard", dependencies: ["System"], swiftSettings: settings),
        .target(name: "StorageChannel", dependencies: ["System"], swiftSettings: settings),
        .target(
            name: "Spool", dependencies: ["CChecksum", "Notation", "StorageChannel", "System"], swiftSettings: settings),
        .target(name: "PostgreSQL", dependencies: ["CLibraries"], swiftSettings: settings),
        .target(name: "TLS", dependencies: ["CLibraries"], swiftSettings: settings),
        .target(
            name: "Redis", dependencies: ["CLibraries", "Configuration", "System", "TLS"], swiftSettings: settings),
        .target(
            name: "Schema", dependencies: ["Notation", "PostgreSQL", "StorageChannel", "System"],
            swiftSettings: settings),
        .target(name: "Deflate", dependencies: ["CLibraries"], swiftSettings: settings),
        .target(name: "WebSocket", dependencies: ["CLibraries", "Deflate"], swiftSettings: settings),
        .target(
            name: "Ingestion", dependencies: ["CJSON", "CLibraries", "Deflate", "Scoreboard", "StorageChannel"],
            swiftSettings: settings),
        .target(
            name: "Edge",
            dependencies: [
                "Configuration", "Ingestion", "Redis", "StorageChannel", "System",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),

        // The programs.
        .executableTarget(
            name: "mesher",
            dependencies: [
                "CCurlOptions", "CLibraries", "Configuration", "Confinement", "Deflate", "Ingestion", "Journal",
                "Notation", "PostgreSQL", "Redis", "Schema", "Scoreboard", "Spool", "StorageChannel", "System", "TLS",
                "WebSocket",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings, linkerSettings: hardening),
        .executableTarget(
            name: "mesher-storage",
            dependencies: [
                "CSystem", "Configuration", "Confinement", "System", "Journal", "Notation", "PostgreSQL", "Schema",
                "Scoreboard", "Spool", "StorageChannel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings, linkerSettings: hardening),
        .executableTarget(
            name: "mesher-stream",
            dependencies: [
                "Configuration", "Confinement", "Edge", "System", "Ingestion", "Journal", "Redis", "Scoreboard",
                "StorageChannel",
                "WebSocket",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings, linkerSettings: hardening),
        .executableTarget(
            name: "mesher-watchdog",
            dependencies: [
                "Configuration", "System", "Journal", "Notation", "Scoreboard", "StorageChannel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings, linkerSettings: hardening),
        .executableTarget(
            name: "mesher-worker",
            dependencies: [
                "CLibraries", "CSystem", "Configuration", "Confinement", "Edge", "Ingestion", "Journal", "Redis",
                "Scoreboard", "System",
            ],
            swiftSettings: settings, linkerSettings: hardening),

        // Tests, and what they need.
        .systemLibrary(name: "CBrotliEncoder", path: "Tests/CBrotliEncoder"),
        .target(name: "CDiskRecorder", path: "Tests/CDiskRecorder", linkerSettings: [.linkedLibrary("dl")]),
        .target(
            name: "TestServers", dependencies: ["PostgreSQL", "StorageChannel", "System"], path: "Tests/TestServers",
            swiftSettings: settings),
        .testTarget(
            name: "EdgeTests",
            dependencies: [
                "Edge", "Ingestion", "Redis", "StorageChannel", "System", "TestServers",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "IngestionTests",
            dependencies: [
                "CBrotliEncoder", "CLibraries", "Deflate", "Ingestion", "PostgreSQL", "RecordedInputs", "Scoreboard",
                "StorageChannel", "TestServers",
            ],
            swiftSettings: settings),
        .target(
            name: "RecordedInputs", dependencies: ["Ingestion", "StorageChannel"], path: "Tests/RecordedInputs",
            exclude: ["sentry-corpus.txt", "formats"], swiftSettings: settings),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CSystem", "Ingestion", "RecordedInputs", "Scoreboard", "Spool", "StorageChannel", "System",
                "WebSocket",
            ],
            path: "Tests/Fuzz", swiftSettings: settings),
        .testTarget(name: "FuzzTests", dependencies: ["RecordedInputs", "fuzz"], swiftSettings: settings),
        .executableTarget(
            name: "websocket-echo", dependencies: ["WebSocket"], path: "Tests/WebSocketEcho", swiftSettings: settings),
        .testTarget(
            name: "WebSocketTests", dependencies: ["Deflate", "RecordedInputs", "WebSocket"], swiftSettings: settings),
        .testTarget(
            name: "RedisTests",
            dependencies: ["Configuration", "Ingestion", "Redis", "System", "TLS", "TestServers"],
            swiftSettings: settings),
        .testTarget(name: "NotationTests", dependencies: ["Notation"], swiftSettings: settings),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "System"], swiftSettings: settings),
        .testTarget(name: "ConfinementTests", dependencies: ["Confinement"], swiftSettings: settings),
        .testTarget(
            name: "MesherStorageTests",
            dependencies: [
                "Configuration", "System", "PostgreSQL", "RecordedInputs", "Schema", "Scoreboard", "Spool",
                "StorageChannel", "TestServers", "mesher-storage",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SpoolTests",
            dependencies: ["CChecksum", "RecordedInputs", "Spool", "StorageChannel", "System", "TestServers"],
            swiftSettings: settings),
        .testTarget(
            name: "MesherTests",
            dependencies: [
                "Configuration", "Confinement", "PostgreSQL", "RecordedInputs", "Schema", "Scoreboard", "Spool",
                "StorageChannel", "System", "TLS", "TestServers", "WebSocket", "mesher",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "MesherStreamTests",
            dependencies: ["Ingestion", "Scoreboard", "StorageChannel", "System", "WebSocket", "mesher-stream"],
            swiftSettings: settings),
        .testTarget(
            name: "MesherWorkerTests",
            dependencies: [
                "CLibraries", "Ingestion", "RecordedInputs", "StorageChannel", "System", "TestServers", "mesher-worker",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PostgreSQLTests", dependencies: ["PostgreSQL", "TestServers"], swiftSettings: settings),
        .testTarget(name: "StorageChannelTests", dependencies: ["StorageChannel"], swiftSettings: settings),
        .testTarget(name: "ScoreboardTests", dependencies: ["Scoreboard", "System"], swiftSettings: settings),
        .testTarget(
            name: "SchemaTests", dependencies: ["PostgreSQL", "Schema", "StorageChannel", "TestServers"],
            swiftSettings: settings),
        .testTarget(
            name: "MesherWatchdogTests",
            dependencies: [
                "Configuration", "Journal", "RecordedInputs", "Scoreboard", "System", "mesher-watchdog",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "DocumentTests",
            dependencies: ["Configuration", "Scoreboard", "StorageChannel", "TestServers", "mesher-watchdog"],
            swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Confinement", "RecordedInputs", "Scoreboard", "StorageChannel", "System", "TestServers",
                "WebSocket",
            ],
            swiftSettings: settings),
    ],
    cxxLanguageStandard: .cxx17
)
