import DockerMode
import ObjectStorage

extension RunnerSettings {
    /// Where bots are described, and which setting says so.
    static func store(_ sources: SettingSources) throws(SettingError) -> (Store, String?) {
        guard let set = try sources.first(of: .store, .mongoURI) else { return (.directory("./bots"), nil) }
        if set.text.hasPrefix("mongodb://") || set.text.hasPrefix("mongodb+srv://") {
            return (.mongo(set.text), set.source)
        }
        guard set.key == .store else { throw SettingError(set.source, "expected mongodb://… or mongodb+srv://…") }
        // A mistyped scheme would otherwise be a directory's name.
        guard !set.text.contains("://") else {
            throw SettingError(set.source, "expected a directory, mongodb://… or mongodb+srv://…")
        }
        return (.directory(set.text), set.source)
    }

    /// The container engine, as Docker's own client finds it.
    static func engine(_ sources: SettingSources) throws(SettingError) -> DockerConnection {
        let host = try sources.text(.dockerHost)
        let verify = try sources.text(.dockerTLSVerify)
        // In the environment any text switches verification on, "0" too: so does Docker's client. A file says what it means.
        let isVerified = verify?.place == .environment ? true : try verify?.parsed(SettingParser.bool) ?? false
        let certificates = try sources.text(.dockerCertificates)?.text ?? ""
        do throws(DockerError) {
            return try DockerConnection(host: host?.text ?? "", tlsVerify: isVerified, certificates: certificates)
        } catch {
            throw SettingError(host?.source ?? "--docker-host", error.message)
        }
    }

    /// The object store, where an endpoint is set, or the folder that stands in for it, where that is; and the bucket of code.
    static func objects(
        _ sources: SettingSources
    ) throws(SettingError) -> (store: S3Configuration?, folder: String?, codeBucket: String) {
        // Each alone first, so that an error can name where the value stands.
        let usesTLS = try sources.value(.minioTLS, default: false, SettingParser.bool)
        let region = try sources.text(.minioRegion)
        if let region { _ = try s3(region.source, region: region.text) }
        let bucket = try sources.text(.codeBucket)
        if let bucket { _ = try s3(bucket.source, bucket: bucket.text) }
        let codeBucket = bucket?.text ?? "custom-bots"
        guard let endpoint = try sources.first(of: .objects, .minioEndpoint) else { return (nil, nil, codeBucket) }
        guard endpoint.key == .minioEndpoint else { return (nil, try folder(endpoint), codeBucket) }
        _ = try s3(endpoint.source, endpoint: endpoint.text)
        let accessKey = try secret(sources, .minioAccessKey, .minioAccessKeyFile, neededFor: endpoint.source)
        _ = try s3(accessKey.source, accessKey: accessKey.text)
        let secretKey = try secret(sources, .minioSecretKey, .minioSecretKeyFile, neededFor: endpoint.source)
        _ = try s3(secretKey.source, secretKey: secretKey.text)
        let store = try s3(
            endpoint.source,
            endpoint: endpoint.text,
            accessKey: accessKey.text,
            secretKey: secretKey.text,
            useTLS: usesTLS,
            region: region?.text ?? "us-east-1",
            bucket: codeBucket
        )
        return (store, nil, codeBucket)
    }

    private static func folder(_ set: SettingText) throws(SettingError) -> String {
        // An endpoint would otherwise be a folder's name.
        guard !set.text.contains("://") else {
            throw SettingError(set.source, "expected a directory; MINIO_ENDPOINT names an object store elsewhere")
        }
        return set.text
    }

    static func s3(
        _ source: String,
        endpoint: String = "localhost",
        accessKey: String = "key",
        secretKey: String = "key",
        useTLS: Bool = false,
        region: String = "us-east-1",
        bucket: String = "bucket"
    ) throws(SettingError) -> S3Configuration {
        do throws(ObjectStorageError) {
            return try S3Configuration(
                endpoint: endpoint,
                accessKey: accessKey,
                secretKey: secretKey,
                useTLS: useTLS,
                region: region,
                bucket: bucket
            )
        } catch {
            throw SettingError(source, error.message)
        }
    }

    private static func secret(
        _ sources: SettingSources,
        _ key: SettingKey,
        _ fileKey: SettingKey,
        neededFor source: String
    ) throws(SettingError) -> (text: String, source: String) {
        guard let set = try sources.first(of: key, fileKey) else {
            throw SettingError(source, "needs \(key.variables[0]) or \(fileKey.variables[0]) too")
        }
        return (set.key == key ? set.text : try SettingsFile.secret(set.text, source: set.source), set.source)
    }

    /// Where code archives are kept when nothing is set.
    static func defaultCache(_ environment: [String: String]) -> String {
        func directory(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let base = directory("XDG_CACHE_HOME") ?? directory("HOME").map { "\($0)/.cache" } ?? "/var/cache"
        return "\(base)/the0-runtime"
    }
}
