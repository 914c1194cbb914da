import Control
import Logging
import Model
import ObjectStorage
import Testing
import Util

@testable import runtime_cli

@Suite struct InvalidSettingTests {
    private func message(_ body: () throws -> RunnerSettings) -> String {
        let error = #expect(throws: SettingError.self) { _ = try body() }
        return error?.description ?? ""
    }

    @Test(arguments: SettingSample.all)
    func invalidValueIsAnErrorThatNamesItsSourceAndWhatIsAllowed(_ sample: SettingSample) {
        for (value, allowed) in sample.invalid {
            let flag = message { try sample.settings(flag: value) }
            #expect(flag.hasPrefix("--\(sample.key.name): "), "\(value)")
            let file = message { try sample.settings(file: value) }
            #expect(file.hasPrefix("\(sample.key.name) in settings.yaml: "), "\(value)")
            var messages = [flag, file]
            for variable in sample.key.variables where !sample.anyTextInEnvironment {
                let environment = message { try sample.settings(variable: (variable, value)) }
                #expect(environment.hasPrefix("\(variable): "), "\(value)")
                messages.append(environment)
            }
            for message in messages {
                #expect(message.contains(allowed), "\(value): \(message)")
                #expect(!message.contains("\n"))
                if sample.key.isSecret { #expect(!message.contains(value), "\(message)") }
            }
        }
    }

    @Test(arguments: SettingSample.all)
    func emptyFlagAndFileValueAreErrors(_ sample: SettingSample) {
        #expect(
            message { try sample.settings(flag: "") }
                == "--\(sample.key.name): is empty; leave it out to have the default"
        )
        #expect(message { try sample.settings(file: "") }.hasPrefix("\(sample.key.name) in settings.yaml: is empty"))
        #expect(message { try sample.settings(file: "a\0b") }.contains("has a NUL character in it"))
    }

    @Test func settingThatNothingAsksForIsCheckedToo() {
        let base = ["MINIO_SSL": "maybe"]
        #expect(message { try RunnerSettings(SettingSources(environment: base)) }.hasPrefix("MINIO_SSL: "))
        let list = SettingSources(file: ["minio-secret-key": ["hush-hush"]], filePath: "f")
        #expect(message { try RunnerSettings(list) } == "minio-secret-key in f: is an array; expected a single value")
    }

    @Test func dockerTakesAnyTextOfTheVariableAsYes() throws {
        for text in ["1", "0", "false", "no"] {
            let sources = SettingSources(environment: ["DOCKER_HOST": "tcp://a", "DOCKER_TLS_VERIFY": text])
            #expect("\(try RunnerSettings(sources).engine)" == "https://a:2376", "\(text)")
        }
        let off = SettingSources(environment: ["DOCKER_HOST": "tcp://a", "DOCKER_TLS_VERIFY": ""])
        #expect("\(try RunnerSettings(off).engine)" == "http://a:2375")
    }

    @Test func missingCredentialsAreNamedWithBothWays() {
        let text = message {
            try RunnerSettings(SettingSources(environment: ["MINIO_ENDPOINT": "a:1", "MINIO_ACCESS_KEY": "k"]))
        }
        #expect(text == "MINIO_ENDPOINT: needs MINIO_SECRET_KEY or MINIO_SECRET_KEY_FILE too")
    }

    @Test func secretGivenTwiceIsAnError() {
        let both = SettingSample.objectStore.merging(["MINIO_SECRET_KEY_FILE": "/run/secret"]) { $1 }
        let text = message { try RunnerSettings(SettingSources(environment: both)) }
        #expect(text == "MINIO_SECRET_KEY_FILE: says the same as MINIO_SECRET_KEY, which is set too: leave one out")
    }

    @Test func secretInTheEnvironmentBeatsItsFileNamedInTheSettingsFile() throws {
        let sources = SettingSources(
            environment: SettingSample.objectStore,
            file: ["minio-secret-key-file": .string(SecretFiles.first)]
        )
        #expect(try RunnerSettings(sources).objects?.secretKey == "aSecretKey")
    }

    @Test func credentialsInPlacesThatHoldNoneAreNotRepeated() {
        let cases = [
            ("STORE", "postgres://me:hush-hush@h"), ("MONGO_URI", "postgres://me:hush-hush@h"),
            ("DOCKER_HOST", "ftp://me:hush-hush@h"), ("MINIO_ENDPOINT", "me:hush-hush@h"),
        ]
        for (variable, text) in cases {
            let environment = SettingSample.objectStore.merging([variable: text]) { $1 }
            let message = message { try RunnerSettings(SettingSources(environment: environment)) }
            #expect(message.hasPrefix("\(variable): "))
            #expect(!message.contains("hush-hush"), "\(message)")
        }
    }

    @Test func f37OneConfigurationServesBusAndStore() throws {
        var sources = SettingSources(flags: ["mongo-uri": "mongodb://db", "nats-url": "nats://bus"])
        let settings = try RunnerSettings(sources)
        #expect(settings.store == .mongo("mongodb://db"))
        #expect(settings.natsURL == "nats://bus")
        #expect(try StoreParts(settings.store, logger: .init(label: "test")).writable != nil)
        // Events with no place to be written to are no silent polling.
        sources.flags["mongo-uri"] = nil
        let text = message { try RunnerSettings(sources) }
        #expect(text.hasPrefix("--nats-url: ") && text.contains("set --mongo-uri or MONGO_URI too"))
    }

    @Test func f38CredentialsOfURLsAreRegisteredAsSecrets() throws {
        var environment = SettingSample.objectStore
        environment["MONGO_URI"] = "mongodb://me:s%40crethush@db"
        environment["NATS_URL"] = "nats://tokentoken@bus,nats://me:otherhush@bus2"
        let secrets = try RunnerSettings(SettingSources(environment: environment)).secretValues
        let shown = secrets.redact("s@crethush s%40crethush tokentoken otherhush anAccessKey aSecretKey me")
        #expect(shown == "*** *** *** *** *** *** me")
    }
}
