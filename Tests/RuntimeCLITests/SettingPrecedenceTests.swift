import Model
import ObjectStorage
import Runtime
import Testing

@testable import runtime_cli

@Suite struct SettingPrecedenceTests {
    @Test func everySettingIsTried() {
        let tried = SettingSample.all.map(\.key)
        #expect(Set(tried) == Set(SettingKey.all))
        #expect(tried.count == Set(tried).count)
        #expect(Set(SettingKey.all.map(\.name)).count == SettingKey.all.count)
        let variables = SettingKey.all.flatMap(\.variables)
        #expect(Set(variables).count == variables.count)
    }

    @Test(arguments: SettingSample.all)
    func flagBeatsEnvironmentBeatsFileBeatsDefault(_ sample: SettingSample) throws {
        let variable = sample.key.variables[0]
        let (value, other) = (sample.value, sample.other)
        let overBoth = try sample.settings(flag: value, variable: (variable, other), file: other)
        #expect(sample.effect(overBoth) == sample.expected)
        let overFile = try sample.settings(variable: (variable, value), file: other)
        #expect(sample.effect(overFile) == sample.expected)
        let fromFile = try sample.settings(file: value)
        #expect(sample.effect(fromFile) == sample.expected)
        // Only now is it known that the others did not win by having the same effect.
        #expect(sample.effect(try sample.settings(flag: other)) != sample.expected)
    }

    @Test(arguments: SettingSample.all)
    func f24EverySettingHasAnEffect(_ sample: SettingSample) throws {
        for variable in sample.key.variables {
            #expect(
                sample.effect(try sample.settings(variable: (variable, sample.value))) == sample.expected,
                "\(variable)"
            )
        }
        // What is needed cannot be left out; everything else has a default, and not by chance the value that is tried.
        if ["minio-access-key", "minio-secret-key", "minio-access-key-file", "minio-secret-key-file"].contains(
            sample.key.name
        ) {
            #expect(throws: SettingError.self) { try sample.settings() }
        } else {
            #expect(sample.effect(try sample.settings()) != sample.expected)
        }
    }

    @Test(arguments: SettingSample.all)
    func emptyVariableCountsAsNotSet(_ sample: SettingSample) throws {
        for variable in sample.key.variables {
            let settings = try sample.settings(variable: (variable, ""), file: sample.value)
            #expect(sample.effect(settings) == sample.expected)
        }
    }

    @Test func placeOfTheStoreIsOneSettingUnderTwoNames() throws {
        func store(_ flags: [String: String], _ environment: [String: String], _ file: JSONObject = [:]) throws
            -> String
        {
            "\(try RunnerSettings(SettingSources(flags: flags, environment: environment, file: file)).store)"
        }
        #expect(try store(["mongo-uri": "mongodb://flag"], ["STORE": "/env"]) == "mongo(\"mongodb://flag\")")
        #expect(try store(["store": "/flag"], ["MONGO_URI": "mongodb://env"]) == "directory(\"/flag\")")
        #expect(try store([:], ["MONGO_URI": "mongodb://env"], ["store": "/file"]) == "mongo(\"mongodb://env\")")
        let error = #expect(throws: SettingError.self) {
            try store([:], ["STORE": "/a", "MONGO_URI": "mongodb://me:hush@b"])
        }
        #expect(error?.description.contains("MONGO_URI") == true)
        #expect(error?.description.contains("STORE") == true)
        #expect(error?.description.contains("hush") == false)
    }

    @Test func placeOfObjectsIsOneSettingUnderTwoNames() throws {
        var sources = SettingSources(environment: SettingSample.objectStore)
        sources.environment["OBJECT_STORE_DIR"] = "/objects"
        let error = #expect(throws: SettingError.self) { try RunnerSettings(sources) }
        #expect(error?.description.contains("MINIO_ENDPOINT") == true)
        #expect(error?.description.contains("OBJECT_STORE_DIR") == true)
        sources.environment["OBJECT_STORE_DIR"] = nil
        sources.flags["objects"] = "/objects"
        let settings = try RunnerSettings(sources)
        #expect(settings.objectFolder == "/objects")
        #expect(settings.objects == nil)
    }

    @Test func memoryLimitIsOneSettingUnderTwoNames() throws {
        let sources = SettingSources(environment: ["BOT_MEMORY_LIMIT_MB": "64"], file: ["memory-limit": "1Gi"])
        #expect(try RunnerSettings(sources).builder.resources.memoryLimit == 64 << 20)
    }

    @Test func requestsAreLoweredToSmallLimits() throws {
        let sources = SettingSources(environment: ["BOT_MEMORY_LIMIT_MB": "16", "BOT_CPU_LIMIT": "10m"])
        let resources = try RunnerSettings(sources).builder.resources
        #expect(resources.memoryRequest == 16 << 20)
        #expect(resources.cpuRequest == 10)
    }

    @Test func f24FirstOfTwoNamesOfOneVariableWins() throws {
        let base = SettingSample.objectStore.merging(["MINIO_SSL": "true", "MINIO_USE_SSL": "false"]) { $1 }
        #expect(try RunnerSettings(SettingSources(environment: base)).objects?.useTLS == true)
    }

    @Test func withoutObjectStoreItsOtherSettingsAreNotNeeded() throws {
        #expect(try RunnerSettings(SettingSources(environment: ["MINIO_SSL": "true"])).objects == nil)
    }

    @Test func cacheLiesWhereTheSystemWantsCaches() {
        #expect(RunnerSettings.defaultCache(["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/the0-runtime")
        #expect(RunnerSettings.defaultCache(["XDG_CACHE_HOME": "", "HOME": "/h"]) == "/h/.cache/the0-runtime")
        #expect(RunnerSettings.defaultCache([:]) == "/var/cache/the0-runtime")
    }
}
