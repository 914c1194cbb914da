import ObjectStorage
import Testing

@Suite struct S3ConfigurationTests {
    private func configuration(
        endpoint: String = "minio:9000",
        accessKey: String = "access",
        secretKey: String = "secret-key-value",
        region: String = "us-east-1",
        bucket: String = "custom-bots"
    ) throws -> S3Configuration {
        try S3Configuration(
            endpoint: endpoint,
            accessKey: accessKey,
            secretKey: secretKey,
            region: region,
            bucket: bucket
        )
    }

    @Test(arguments: [
        "minio", "minio:9000", "10.0.0.1:9000", "s3.eu-west-1.amazonaws.com:443", "[::1]:9000", "my_host:1",
    ])
    func endpointsThatAreTaken(_ endpoint: String) throws {
        #expect(try configuration(endpoint: endpoint).endpoint == endpoint)
    }

    @Test(arguments: [
        "", ":9000", "http://minio:9000", "minio:", "minio:0", "minio:65536", "minio:x", "a b:1", "minio/bucket",
        "user:pw@minio",
        "minio:9000/", "[::1", "[]:1", "[zz]:1", "::1", "minio:+80", "min\nio",
    ])
    func endpointsThatAreRefused(_ endpoint: String) {
        let error = #expect(throws: ObjectStorageError.self) { try configuration(endpoint: endpoint) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("endpoint") == true)
        #expect(error?.message.contains("pw") == false)
    }

    @Test(arguments: [
        "", "ab", "UPPER", "a_b_c", "-abc", "abc-", "a/b", "../x", String(repeating: "a", count: 64), "b?c",
    ])
    func bucketsThatAreRefused(_ bucket: String) {
        let error = #expect(throws: ObjectStorageError.self) { try configuration(bucket: bucket) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func keysAndRegionAreChecked() {
        for make in [
            { try configuration(accessKey: "") }, { try configuration(secretKey: "") },
            { try configuration(secretKey: "line\nbreak") }, { try configuration(accessKey: "a/b") },
            { try configuration(region: "") }, { try configuration(region: "US East") },
        ] {
            let error = #expect(throws: ObjectStorageError.self) { try make() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("line") == false)
        }
    }

    @Test func noDescriptionShowsTheKeys() throws {
        let configuration = try configuration(accessKey: "visible-access", secretKey: "hidden-secret")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(text.contains("custom-bots"))
            #expect(!text.contains("hidden-secret"))
            #expect(!text.contains("visible-access"))
        }
    }
}
