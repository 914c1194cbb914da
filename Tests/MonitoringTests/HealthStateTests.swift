import Foundation
import Monitoring
import Testing
import Util

@Suite struct HealthStateTests {
    @Test func unknownIsNotReady() {
        let health = HealthState(
            dependencies: ["nats", "mongodb"],
            conditions: ["first full pass"],
            secrets: Secrets()
        )
        let (ready, body) = health.readiness()
        #expect(!ready)
        let unknown = #"{"ok":false,"reason":"not checked yet"}"#
        let conditions = #"{"first full pass":false}"#
        #expect(
            body
                == #"{"ready":false,"dependencies":{"mongodb":\#(unknown),"nats":\#(unknown)},"conditions":\#(conditions)}"#
        )
    }

    @Test func aDependencyThatFailsLaterTakesReadinessAway() {
        let health = HealthState(dependencies: ["mongodb"], conditions: [], secrets: Secrets())
        health.ok("mongodb")
        #expect(health.readiness().ready)
        health.failing("docker", reason: "no socket")
        #expect(!health.readiness().ready)
        health.ok("docker")
        #expect(health.readiness().ready)
    }

    @Test func nothingToWaitForIsReady() {
        #expect(HealthState(dependencies: [], conditions: [], secrets: Secrets()).readiness().ready)
    }

    @Test func f38ReasonsHoldNoSecretsAndAreBounded() throws {
        let secrets = Secrets()
        secrets.register("s3cr3tvalue")
        let health = HealthState(dependencies: [], conditions: [], secrets: secrets)
        // The cut at 300 characters goes through the second occurrence.
        let padding = String(repeating: "x", count: 270)
        health.failing("a\"b\n", reason: "s3cr3tvalue nats://tok@h \(padding)s3cr3tvalue" + padding)
        let body = health.readiness().body
        #expect(!body.contains("s3c") && !body.contains("tok@"))
        let object = try #require(JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let dependency = try #require((object["dependencies"] as? [String: [String: Any]])?["a\"b\n"])
        #expect((dependency["reason"] as? String)?.count == 300)
    }
}
