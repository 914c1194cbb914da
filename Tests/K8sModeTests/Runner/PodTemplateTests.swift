import Entrypoints
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import K8sMode

@Suite struct PodTemplateTests {
    private let link = CodeLink(json: #"{"url":"http://s3/x?\#(FakeLinks.secret)"}"#, expiresAt: .now)

    private func template(_ spec: LaunchSpec, _ settings: K8sSettings? = nil) throws -> PodTemplate {
        try PodTemplate(spec, settings: settings ?? K8sSettings(runtimeImage: "the0/runtime:1"))
    }

    private func containers(_ pod: JSONObject) -> [JSONObject] {
        ((pod["initContainers"]?.array ?? []) + (pod["containers"]?.array ?? [])).compactMap(\.object)
    }

    @Test func f54NeitherAParameterNorALinkIsInThePodsSpec() throws {
        let template = try template(try liveSpec("b", ["api_key": "pa55word", "n": 5]))
        let pod = template.podSpec(secret: "s", claim: "c")
        let text = JSONValue.object(pod).text
        #expect(!text.contains("pa55word") && !text.contains("api_key"))
        #expect(!text.contains("http://") && !text.contains(FakeLinks.secret))
        let entries = template.secretEntries(link: link)
        #expect(entries["config"].map { String(decoding: $0, as: UTF8.self) } == #"{"api_key":"pa55word","n":5}"#)
        #expect(entries["code.json"] == Array(link.json.utf8))
        #expect(entries["entrypoint.sh"] != nil && entries["the0_python.py"] != nil && entries.count == 4)
        // Only the init container sees the link, and only the bot its parameters.
        let mounts = containers(pod).map { container in
            (container["volumeMounts"]?.array ?? []).compactMap { $0.object?["name"]?.string }
        }
        #expect(mounts == [["code", "state", "tmp", "link"], ["code", "state", "tmp", "scripts"]])
        #expect(containers(pod)[0]["env"] == nil)
        let variables = (containers(pod)[1]["env"]?.array ?? []).compactMap(\.object)
        for name in ["BOT_CONFIG", "CONFIG"] {
            let variable = variables.first { $0["name"]?.string == name }
            #expect(variable?[["valueFrom", "secretKeyRef"]] == ["name": "s", "key": "config"])
            #expect(variable?["value"] == nil)
        }
        #expect("\(link)" == "a code link until \(link.expiresAt)" && !String(reflecting: link).contains("Signature"))
        var dumped = ""
        dump(link, to: &dumped)
        #expect(!dumped.contains("Signature"))
    }

    /// The rules of Pod Security's "restricted" profile, each.
    @Test func thePodKeepsToTheRestrictedProfile() throws {
        let pod = try template(try liveSpec("b")).podSpec(secret: "s", claim: "c")
        let context = pod["securityContext"]?.object
        #expect(context?["runAsNonRoot"] == true && context?["runAsUser"] == 65532 && context?["fsGroup"] == 65532)
        #expect(context?["seccompProfile"] == ["type": "RuntimeDefault"])
        for field in ["hostNetwork", "hostPID", "hostIPC"] { #expect(pod[field] == nil) }
        for container in containers(pod) {
            let context = container["securityContext"]?.object
            #expect(context?["allowPrivilegeEscalation"] == false && context?["readOnlyRootFilesystem"] == true)
            #expect(context?["capabilities"] == ["drop": ["ALL"]])
            #expect(context?["privileged"] == nil && context?["runAsUser"] == nil)
            #expect(container[["resources", "limits", "memory"]] != nil && container["ports"] == nil)
        }
        let allowed: Set = ["emptyDir", "persistentVolumeClaim", "secret"]
        for volume in (pod["volumes"]?.array ?? []).compactMap(\.object) {
            #expect(Set(volume.keys).subtracting(["name"]).isSubset(of: allowed))
        }
        #expect(pod["automountServiceAccountToken"] == false && pod["enableServiceLinks"] == false)
        #expect(pod["serviceAccountName"] == "the0-bot" && pod["terminationGracePeriodSeconds"] == 30)
        #expect(pod["restartPolicy"] == "Always")
    }

    @Test func limitsAndRequestsAreTheSpecifications() throws {
        let spec = try liveSpec("b", ["memory_limit": "1Gi", "cpu_limit": "2", "cpu_request": "250m"])
        let bot = try #require(containers(try template(spec).podSpec(secret: "s", claim: nil)).last)
        #expect(
            bot["resources"] == [
                "limits": ["memory": "1073741824", "cpu": "2000m"],
                "requests": ["memory": "134217728", "cpu": "250m"],
            ]
        )
        #expect(bot["command"] == ["/bin/sh", "/the0/entrypoint.sh"] && bot["workingDir"] == "/bot")
    }

    @Test func f41WhatLooksLikeAVariableIsLeftAsItIs() throws {
        let pod = try template(try liveSpec("a$(BOT_TYPE)$$b$")).podSpec(secret: "s", claim: nil)
        let variables = (containers(pod).last?["env"]?.array ?? []).compactMap(\.object)
        // The kubelet makes one dollar of two.
        #expect(variables.first { $0["name"] == "BOT_ID" }?["value"] == "a$$(BOT_TYPE)$$$$b$$")
    }

    @Test func stateIsInAClaimOrInThePod() throws {
        func state(_ claim: String?) throws -> JSONObject? {
            (try template(try liveSpec("b")).podSpec(secret: "s", claim: claim)["volumes"]?.array ?? [])
                .compactMap(\.object).first { $0["name"] == "state" }
        }
        #expect(try state("c")?["persistentVolumeClaim"] == ["claimName": "c"])
        #expect(try state(nil)?["emptyDir"]?.object?["sizeLimit"] == "4294967296")
    }

    @Test func whatAnOperatorChoosesIsInThePod() throws {
        let settings = K8sSettings(
            runtimeImage: "mirror/runtime:2",
            unpackCommand: ["/bin/unpack", "$x"],
            serviceAccount: "bots",
            imagePullSecrets: ["mirror"],
            nodeSelector: ["pool": "bots"],
            codeSize: Quantity(units: 1000),
            stopGrace: .milliseconds(4500)
        )
        let pod = try template(try liveSpec("b"), settings).podSpec(secret: "s", claim: nil, restartPolicy: "Never")
        #expect(pod["serviceAccountName"] == "bots" && pod["nodeSelector"] == ["pool": "bots"])
        #expect(pod["imagePullSecrets"] == [["name": "mirror"]])
        #expect(pod["terminationGracePeriodSeconds"] == 5 && pod["restartPolicy"] == "Never")
        #expect(containers(pod)[0]["image"] == "mirror/runtime:2")
        #expect(containers(pod)[0]["command"] == ["/bin/unpack", "$$x"])
        #expect(JSONValue.object(pod).text.contains(#""sizeLimit":"1000""#))
    }

    @Test func networksOfTheSandboxAreGivenOrRefused() throws {
        var builder = LaunchSpecBuilder()
        builder.sandbox.network = .host
        let pod = try template(try liveSpec("b", builder: builder)).podSpec(secret: "s", claim: nil)
        #expect(pod["hostNetwork"] == true)
        builder.sandbox.network = .named("lan")
        let spec = try liveSpec("b", builder: builder)
        #expect(throws: RunnerError.self) { try template(spec) }
    }

    @Test func f48LabelsAndNamesHoldForAnyText() throws {
        let texts = [
            "b", "A_b", "ends-", "../../x", "\u{E9}\n\"'", String(repeating: "n", count: 300), "$(x)", " ", "-",
        ]
        var names: Set<String> = []
        for text in texts {
            let custom = CustomBotVersion(
                version: text,
                code: .object(key: text),
                config: CustomBotConfig(name: text, runtime: "python3.11", entrypoints: ["bot": "main.py"])
            )
            let executable = Executable(id: BotID(text), kind: .live, config: [:], custom: custom)
            let spec = try LaunchSpecBuilder().spec(for: executable)
            for (key, value) in spec.labels(Ownership(instance: text)) {
                #expect(value.isLabelValue, "\(key)=\(value)")
            }
            #expect(spec.annotations(attempt: 3)[K8sAnnotation.id] == text)
            let pod = K8sNames.pod(spec.id)
            names.insert(pod)
            for name in [pod, K8sNames.claim(kind: .live, id: spec.id)] { #expect(name.isDNSLabel, "\(name)") }
            let secret = K8sNames.secret(pod: pod)
            #expect(secret.utf8.count <= 253 && secret.utf8.allSatisfy(\.isNameByte))
            #expect(secret != K8sNames.secret(pod: pod))
        }
        #expect(names.count == texts.count)
    }

    @Test func whatALinkNeedsOfAProgramComesBack() throws {
        let spec = try liveSpec("b\n\u{E9}")
        let program = LinkedProgram(spec.executable)
        #expect(LinkedProgram(text: program.text) == program)
        var executable = spec.executable
        executable.custom.code = .directory(path: "/x", digest: "d")
        #expect(LinkedProgram(text: LinkedProgram(executable).text)?.custom.code == executable.custom.code)
        for text in ["", "{}", "[]", #"{"id":"","code":{"key":"k"}}"#, #"{"id":"b","code":{}}"#, #"{"id":"b"}"#] {
            #expect(LinkedProgram(text: text) == nil)
        }
    }
}

extension String {
    fileprivate var isLabelValue: Bool {
        guard utf8.count <= 63, let first = utf8.first, let last = utf8.last else { return false }
        return first.isLetterOrDigit && last.isLetterOrDigit
            && utf8.allSatisfy { $0.isLetterOrDigit || "-_.".utf8.contains($0) }
    }
    fileprivate var isDNSLabel: Bool {
        guard utf8.count <= 63, let first = utf8.first, let last = utf8.last else { return false }
        return first.isLetterOrDigit && last.isLetterOrDigit && utf8.allSatisfy(\.isNameByte)
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8.contains(self)
    }
    fileprivate var isNameByte: Bool { "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains(self) }
}
