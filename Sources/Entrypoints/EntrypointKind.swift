/// How a language's bots are started.
///
/// The scripts are constant texts: the bot's id, its parameters and its entrypoint reach them as environment
/// variables (`BOT_ID`, `BOT_CONFIG`, `SCRIPT_PATH`, `CODE_MOUNT_DIR`, `BOT_TYPE`) and are never pasted into them, so
/// no value can become code.
///
/// What they read beyond the contract: `THE0_CODE_DIR`, an absolute path that takes the place of `/$CODE_MOUNT_DIR`
/// where the code lies elsewhere (a process on the host has no `/bot`).
public enum EntrypointKind: String, Sendable, CaseIterable {
    /// A Python file; needs `python3`, 3.8 or later.
    case python
    /// A JavaScript file, CommonJS or ES module; needs `node`, 18 or later.
    case node
    /// An executable: Rust, C, C++, Haskell.
    case native
    /// A .NET assembly; needs `dotnet`.
    case dotnet
    /// A JAR; needs `java`.
    case jvm
}

extension EntrypointKind {
    /// Where the files lie in a container. Outside of the code's directory, so that no archive can replace them.
    public static let defaultDirectory = "/the0"

    /// The constant files of this kind: `entrypoint.sh` first, then the wrapper where there is one.
    public var files: [EntrypointFile] {
        switch self {
        case .python: [script(pythonScript), EntrypointFile(name: pythonWrapperName, contents: pythonWrapper)]
        case .node: [script(nodeScript), EntrypointFile(name: nodeWrapperName, contents: nodeWrapper)]
        case .native: [script(nativeScript)]
        case .dotnet: [script(dotnetScript)]
        case .jvm: [script(jvmScript)]
        }
    }

    /// The arguments that start the bot.
    ///
    /// - Parameter directory: where `files` lie.
    public func command(directory: String = defaultDirectory) -> [String] {
        ["/bin/sh", directory + "/" + scriptName]
    }

    /// The environment this kind needs beside what every bot gets.
    ///
    /// - Parameter entrypoint: the path in the custom bot's `entrypoints.bot`, already validated.
    public func environment(entrypoint: String) -> [String: String] {
        var environment = ["SCRIPT_PATH": entrypoint]
        if self == .python {
            environment["PYTHONUNBUFFERED"] = "1"
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        }
        return environment
    }

    private func script(_ text: String) -> EntrypointFile {
        EntrypointFile(name: scriptName, contents: text, executable: true)
    }
}

/// Exit codes of the scripts themselves, when they can't start the bot; anything else is the bot's own.
///
/// They are part of the texts in `StartScripts.swift` and of the wrappers.
public enum EntrypointExitCode {
    /// `BOT_CONFIG` isn't JSON, or a variable is missing (`EX_CONFIG` of sysexits.h).
    public static let badEnvironment: Int32 = 78
    /// The entrypoint is there, but can't be run or read.
    public static let notExecutable: Int32 = 126
    /// The entrypoint, the code's directory or the interpreter isn't there.
    public static let notFound: Int32 = 127
    /// Node: `main` waits for something that can never happen (Node's own code for the same).
    public static let unsettled: Int32 = 13
    /// Stopped by SIGTERM (128 + 15).
    public static let terminated: Int32 = 143
}

private let scriptName = "entrypoint.sh"

extension EntrypointFile {
    fileprivate init(name: String, contents: String) {
        self.init(name: name, contents: contents, executable: false)
    }
}
