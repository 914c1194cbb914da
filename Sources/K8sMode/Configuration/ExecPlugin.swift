import FoundationEssentials
import HTTP
import Model
import Subprocess
import SystemPackage
import Util
import Yams

/// A program that gives a credential (`client.authentication.k8s.io`).
struct ExecPlugin: Sendable {
    /// A path, or a name to be found in PATH.
    let command: String
    let arguments: [String]
    let environment: [String: String]
    let apiVersion: String
    let installHint: String
    /// What the program is told: the interface's version and perhaps the cluster.
    let info: String
    let origin: String
    var patience: Duration = .seconds(60)

    private static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    init(_ exec: KubeconfigEntry, cluster: KubeconfigEntry, server: String, trust: TLSOptions) throws(K8sError) {
        guard let command = try exec.text("command") else { throw exec.problem("command", "is missing") }
        // A name alone is looked for in PATH; anything else that is relative begins at the file's folder.
        self.command = command.contains("/") && !command.hasPrefix("/") ? "\(exec.folder)/\(command)" : command
        guard let version = try exec.text("apiVersion"), Self.versions.contains(version) else {
            throw exec.problem("apiVersion", "has to be one of \(Self.versions.joined(separator: ", "))")
        }
        apiVersion = version
        if try exec.text("interactiveMode") == "Always" {
            throw exec.problem(
                "interactiveMode",
                "is Always, but there is no terminal here; allowed are Never, IfAvailable"
            )
        }
        var arguments: [String] = []
        for argument in try exec.list("args") {
            guard let text = argument.scalar?.string else { throw exec.problem("args", "has to be a list of texts") }
            arguments.append(text)
        }
        self.arguments = arguments
        var environment: [String: String] = [:]
        for variable in try exec.list("env") {
            let entry = KubeconfigEntry(node: variable, origin: exec.origin, folder: exec.folder)
            guard variable.mapping != nil, let name = try entry.text("name"), !name.contains("=") else {
                throw exec.problem("env", "has to be a list of name and value")
            }
            environment[name] = try entry.text("value") ?? ""
        }
        self.environment = environment
        installHint = try exec.text("installHint")?.onOneLine ?? ""
        var spec: JSONObject = ["interactive": false]
        if try exec.flag("provideClusterInfo") {
            spec["cluster"] = try Self.clusterInfo(cluster, server: server, trust: trust)
        }
        info =
            JSONValue.object([
                "apiVersion": .string(version), "kind": "ExecCredential", "spec": .object(spec),
            ]).text
        origin = "kubeconfig \(exec.origin)"
    }

    private static func clusterInfo(
        _ cluster: KubeconfigEntry,
        server: String,
        trust: TLSOptions
    ) throws(K8sError) -> JSONValue {
        var info: JSONObject = ["server": .string(server)]
        if let name = trust.serverName { info["tls-server-name"] = .string(name) }
        if !trust.verify { info["insecure-skip-tls-verify"] = true }
        var authority = trust.caData
        if authority == nil, let path = trust.caFile {
            do { authority = try readSmallFile(path) } catch {
                throw cluster.problem("certificate-authority", "\(error)")
            }
        }
        if let authority { info["certificate-authority-data"] = .string(Data(authority).base64EncodedString()) }
        for (position, extra) in try cluster.list("extensions").enumerated() {
            let entry = KubeconfigEntry(
                node: extra,
                origin: "\(cluster.origin), extensions[\(position)]",
                folder: cluster.folder
            )
            guard extra.mapping != nil, try entry.text("name") == "client.authentication.k8s.io/exec" else { continue }
            info["config"] = try entry.json("extension")
        }
        return .object(info)
    }

    /// Runs the program.
    /// - Throws: ``K8sError`` with code `credential`; what the program wrote is in no message, as it may be a secret.
    func run() async throws(K8sError) -> IssuedCredential {
        let output: [UInt8]
        do {
            output = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                group.addTask { try await self.output() }
                group.addTask {
                    try await Task.sleep(for: self.patience)
                    throw self.failure("hasn't ended within \(self.patience)")
                }
                defer { group.cancelAll() }
                return try await group.next() ?? []
            }
        } catch let error as K8sError {
            throw error
        } catch {
            guard !(error is CancellationError), !Task.isCancelled else { throw K8sError(.cancelled, "cancelled") }
            throw failure("can't be run: \(error)" + (installHint.isEmpty ? "" : "; \(installHint)"))
        }
        guard let value = try? JSONValue.parse(output), let object = value.object else {
            throw failure("gave no JSON object")
        }
        guard object["kind"]?.string == "ExecCredential", object["apiVersion"]?.string == apiVersion else {
            throw failure("gave no ExecCredential of \(apiVersion)")
        }
        do { return try IssuedCredential(object["status"]?.object ?? JSONObject()) } catch {
            throw failure(error.description)
        }
    }

    private func output() async throws -> [UInt8] {
        var variables: [Environment.Key: String?] = ["KUBERNETES_EXEC_INFO": info]
        for (name, value) in environment { variables[Environment.Key(stringLiteral: name)] = value }
        let result = try await Subprocess.run(
            command.contains("/") ? .path(FilePath(command)) : .name(command),
            arguments: Arguments(arguments),
            environment: .inherit.updating(variables),
            output: .bytes(limit: 1 << 20),
            error: .discarded
        )
        guard case .exited(0) = result.terminationStatus else {
            throw failure("ended with \(result.terminationStatus); run it by hand to see why")
        }
        return result.standardOutput
    }

    private func failure(_ problem: String) -> K8sError {
        K8sError(.credential, "\(origin): \(command.escapedForMessage) \(problem)")
    }
}

/// What a credential program gave.
struct IssuedCredential: Sendable {
    let token: String?
    let certificate: [UInt8]?
    let key: [UInt8]?
    /// When it ends; nil for the life of this process, or until the server refuses it.
    let expiry: Timestamp?

    struct Problem: Error {
        let description: String
    }

    init(_ status: JSONObject) throws(Problem) {
        token = status["token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        certificate = status["clientCertificateData"]?.string.map { Array($0.utf8) }.flatMap { $0.isEmpty ? nil : $0 }
        key = status["clientKeyData"]?.string.map { Array($0.utf8) }.flatMap { $0.isEmpty ? nil : $0 }
        if let token, !Credential.isToken(token) { throw Problem(description: "gave a token with a space in it") }
        guard (certificate == nil) == (key == nil) else {
            throw Problem(description: "gave a certificate without its key, or a key without its certificate")
        }
        guard token != nil || certificate != nil else {
            throw Problem(description: "gave neither token nor certificate")
        }
        if let text = status["expirationTimestamp"]?.string {
            do { expiry = try RFC3339.parse(text) } catch {
                throw Problem(description: "gave an expirationTimestamp that is no time")
            }
        } else {
            expiry = nil
        }
    }
}
