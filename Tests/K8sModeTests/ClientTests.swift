import HTTP
import Model
import Testing
import Util

@testable import K8sMode

/// What a client makes of a server's answers; a fake one gives them.
@Suite struct ClientTests {
    @Test func anObjectIsReadAndUnknownFieldsAreWrittenBack() async throws {
        try await withFake { request, _ in
            guard request.method == "GET" else { return .ok(String(decoding: request.body, as: UTF8.self)) }
            return .ok(
                #"{"metadata":{"name":"a","namespace":"the0","resourceVersion":"1","x":1.50},"spec":{"y":[1]},"z":18446744073709551616}"#
            )
        } _: { server, client in
            let pods = client.resources(Pod.self, in: "the0")
            var pod = try #require(try await pods.get("a"))
            pod.labels["b"] = "c"
            _ = try await pods.replace(pod)
            let written = try #require(server.requests.last)
            #expect(written.line == "PUT /api/v1/namespaces/the0/pods/a")
            let json = try #require(written.json)
            #expect(json["z"] == .number("18446744073709551616"))
            #expect(json[["spec", "y"]] == [1])
            #expect(json[["metadata", "x"]] != nil)
            #expect(json[["metadata", "labels"]] == ["b": "c"])
            #expect(json[["metadata", "resourceVersion"]] == "1")
            #expect([json["apiVersion"], json["kind"]] == ["v1", "Pod"])
        }
    }

    @Test func whatIsNotThereIsNil() async throws {
        try await withFake { _, _ in
            .status(404, "NotFound")
        } _: { _, client in
            let pods = client.resources(Pod.self, in: "the0")
            let found = try await pods.get("a")
            let deleted = try await pods.delete("a")
            #expect(found == nil)
            #expect(!deleted)
        }
    }

    @Test(arguments: [
        (401, "Unauthorized", K8sError.Code.unauthorized), (404, "NotFound", .notFound),
        (409, "AlreadyExists", .alreadyExists), (409, "Conflict", .conflict), (410, "Expired", .expired),
        (410, "Gone", .expired), (422, "Invalid", .invalid), (400, "BadRequest", .refused),
        (500, "InternalError", .failed), (504, "Timeout", .failed), (405, "MethodNotAllowed", .refused),
    ])
    func refusalsAreToldApart(status: Int, reason: String, code: K8sError.Code) async throws {
        try await withFake { _, _ in
            .status(status, reason, "it says \\u001b[31m why")
        } _: { _, client in
            let error = await failure { try await client.resources(Pod.self, in: "the0").create(Pod(name: "a")) }
            #expect(error?.code == code)
            #expect(error?.message.contains("POST /api/v1/namespaces/the0/pods: status \(status) \(reason)") == true)
            #expect(error?.message.contains("why") == true)
            #expect(error?.message.contains("\u{1b}") == false)
            #expect(error?.status?.reason == reason)
        }
    }

    @Test func aRefusedRightIsNamed() async throws {
        try await withFake { _, _ in
            .status(403, "Forbidden", "User x cannot")
        } _: { _, client in
            let jobs = client.resources(Job.self, in: "the0")
            #expect(
                await failure { try await jobs.list() }?.message.hasSuffix(
                    "missing right: verb list on resource jobs of API group batch in namespace the0"
                ) == true
            )
            let pods = client.resources(Pod.self, in: "the0")
            #expect(
                await failure { try await pods.log(of: "a") }?.message.hasSuffix(
                    "verb get on resource pods/log of API group \"\" in namespace the0"
                ) == true
            )
            #expect(await failure { try await pods.list() }?.isRetryable == false)
        }
    }

    @Test func causesNameTheFields() async throws {
        let text =
            #"{"kind":"Status","code":422,"reason":"Invalid","message":"bad","details":{"causes":[{"field":"spec.schedule","message":"no cron"}]}}"#
        try await withFake { _, _ in
            .json(422, text)
        } _: { _, client in
            let error = await failure { try await client.resources(CronJob.self, in: "x").create(CronJob(name: "a")) }
            #expect(error?.message.contains("spec.schedule: no cron") == true)
            #expect(error?.status?.causes == ["spec.schedule: no cron"])
        }
    }

    @Test func aServerWithTooMuchToDoIsAskedAgain() async throws {
        try await withFake { _, number in
            switch number {
            case 1: .status(429, "TooManyRequests")
            case 2: .status(429, "TooManyRequests", headers: ["Retry-After: 0"])
            default: .ok(pod("a", version: 1))
            }
        } _: { server, client in
            _ = try await client.resources(Pod.self, in: "the0").create(Pod(name: "a"))
            #expect(server.requests.count == 3)
        }
    }

    @Test func retryAfterIsHonouredAndBounded() async throws {
        try await withFake { request, number in
            if request.path.hasSuffix("/long") {
                return .status(429, "TooManyRequests", headers: ["Retry-After: 3600"])
            }
            return number == 1
                ? .status(503, "ServiceUnavailable", headers: ["Retry-After: 1"]) : .ok(pod("a", version: 1))
        } _: { server, client in
            let pods = client.resources(Pod.self, in: "the0")
            let error = await failure { try await pods.get("long") }
            #expect(error?.code == .throttled)
            #expect(error?.retryAfter == .seconds(3600))
            let began = ContinuousClock.now
            _ = try await pods.get("a")
            #expect(began.duration(to: .now) >= .seconds(1))
            #expect(server.requests.count == 3)
        }
    }

    @Test func aServerThatAlwaysHasTooMuchToDoIsAnError() async throws {
        try await withFake { _, _ in
            .status(429, "TooManyRequests")
        } _: { server, client in
            #expect(await failure { try await client.resources(Pod.self, in: "the0").get("a") }?.code == .throttled)
            #expect(server.requests.count == 5)
        }
    }

    @Test(arguments: [
        (FakeAnswer.ok("<html>"), K8sError.Code.badAnswer), (.ok("[]"), .badAnswer), (.ok("{}"), .badAnswer),
        (.ok(""), .badAnswer), (.raw("garbage\r\n\r\n"), .badAnswer), (.reset, .unreachable),
        (.raw("HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{"), .unreachable),
        (.json(500, "<html>"), .failed), (.json(302, "", ["Location: http://127.0.0.1:1/"]), .badAnswer),
        (.json(403, String(repeating: "x", count: 100_000)), .forbidden),
    ])
    func brokenAnswersAreErrors(_ answer: FakeAnswer, code: K8sError.Code) async throws {
        try await withFake { _, _ in
            answer
        } _: { _, client in
            let error = await failure { try await client.resources(Pod.self, in: "the0").get("a") }
            #expect(error?.code == code, "\(String(describing: error))")
            #expect((error?.message.utf8.count ?? 0) < 2000)
        }
    }

    @Test func anAnswerThatDoesNotComeIsCancelled() async throws {
        try await withFake { _, _ in
            .hang
        } _: { server, client in
            let task = Task { await failure { try await client.resources(Pod.self, in: "the0").get("a") } }
            while server.requests.isEmpty { await Task.yield() }
            task.cancel()
            #expect(await task.value?.code == .cancelled)
        }
    }

    @Test func nobodyThereIsUnreachable() async throws {
        let server = try FakeAPIServer { _, _ in .hang }
        server.stop()
        let client = K8sClient(ClusterConnection(server: server.url), logger: quiet)
        let error = await failure { try await client.resources(Pod.self, in: "the0").list() }
        #expect(error?.code == .unreachable)
        #expect(error?.isRetryable == true)
    }

    @Test func applyTellsManagerAndForce() async throws {
        try await withFake { request, _ in
            .ok(String(decoding: request.body, as: UTF8.self))
        } _: { server, client in
            var secret = Secret(name: "a", namespace: "elsewhere")
            secret["config"] = Array("geheim".utf8)
            secret.json[["metadata", "managedFields"]] = [[:]]
            _ = try await client.resources(Secret.self, in: "the0").apply(secret, fieldManager: "the0", force: true)
            let request = try #require(server.requests.last)
            #expect(request.line == "PATCH /api/v1/namespaces/the0/secrets/a")
            #expect(request.query == ["fieldManager": "the0", "force": "true"])
            #expect(request.headers["content-type"] == "application/apply-patch+yaml")
            #expect(request.json?[["metadata", "namespace"]] == "the0")
            #expect(request.json?[["metadata", "managedFields"]] == nil)
            #expect(request.json?[["data", "config"]] == "Z2VoZWlt")
        }
    }

    @Test func deleteCarriesItsPreconditions() async throws {
        try await withFake { request, _ in
            request.path.hasSuffix("/b") ? .status(409, "Conflict", "uid is another") : .status(200, "")
        } _: { server, client in
            let pods = client.resources(Pod.self, in: "the0")
            #expect(try await pods.delete("a", uid: "u", propagation: .foreground, gracePeriodSeconds: 5))
            let options = try #require(server.requests.last?.json)
            #expect(options[["preconditions", "uid"]] == "u")
            #expect(options["propagationPolicy"] == "Foreground")
            #expect(options["gracePeriodSeconds"] == 5)
            #expect(await failure { try await pods.delete("b", uid: "u") }?.code == .conflict)
        }
    }

    @Test(arguments: ["", ".", ".."]) func namesThatMeanMoreThanOneObjectAreRefused(_ name: String) async throws {
        try await withFake { _, _ in
            .ok("{}")
        } _: { server, client in
            let pods = client.resources(Pod.self, in: "the0")
            #expect(await failure { try await pods.delete(name) }?.code == .invalid)
            #expect(await failure { try await pods.get(name) }?.code == .invalid)
            let all = client.resources(Pod.self, in: nil)
            #expect(await failure { try await all.delete("a") }?.code == .invalid)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func namesAreEncoded() async throws {
        try await withFake { _, _ in
            .status(404, "NotFound")
        } _: { server, client in
            _ = try await client.resources(Pod.self, in: "a/../b").get("x?y#z/ü")
            #expect(server.requests.map(\.line) == ["GET /api/v1/namespaces/a%2F..%2Fb/pods/x%3Fy%23z%2F%C3%BC"])
        }
    }

    @Test func aLogIsStreamed() async throws {
        try await withFake { _, _ in
            .stream(["one\n", "two\n"], closes: true)
        } _: { server, client in
            let query = PodLogQuery(
                container: "bot",
                follow: true,
                since: Timestamp(nanosecondsSince1970: 1_500_000_000),
                tailLines: 3
            )
            var text = ""
            for try await piece in try await client.resources(Pod.self, in: "the0").log(of: "a", query) {
                text += String(decoding: piece, as: UTF8.self)
            }
            #expect(text == "one\ntwo\n")
            #expect(
                server.requests.last?.query == [
                    "container": "bot", "follow": "true", "sinceTime": "1970-01-01T00:00:01Z", "tailLines": "3",
                    "timestamps": "true",
                ]
            )
        }
    }
}
