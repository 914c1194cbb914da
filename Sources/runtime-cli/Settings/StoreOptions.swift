import ArgumentParser

/// The flags of every command that reads what is to run.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A YAML file of settings, named as the flags are.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "Where bots are described: a directory, or mongodb://… (default: MONGO_URI, else ./bots).",
            valueName: "place"
        )
    )
    var store: String?

    @Option(name: .customLong("mongo-uri"), help: ArgumentHelp("MongoDB with the0's databases.", valueName: "uri"))
    var mongoURI: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical (info).", valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("text for people or json for machines (text).", valueName: "format"))
    var logFormat: String?

    /// What was given on the command line, by flag.
    var given: [String: String] {
        var flags: [String: String] = [:]
        flags[SettingKey.store.name] = store
        flags[SettingKey.mongoURI.name] = mongoURI
        flags[SettingKey.logLevel.name] = logLevel
        flags[SettingKey.logFormat.name] = logFormat
        return flags
    }
}
