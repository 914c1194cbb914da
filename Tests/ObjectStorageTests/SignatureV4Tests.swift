import HTTP
import Testing
import Util

@testable import ObjectStorage

/// The examples of "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference.
@Suite struct SignatureV4Tests {
    private let signature = SignatureV4(
        accessKey: "AKIAIOSFODNN7EXAMPLE",
        secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region: "us-east-1"
    )
    private let time: SignatureTime
    private let host = "examplebucket.s3.amazonaws.com"

    init() throws {
        time = SignatureTime(try RFC3339.parse("2013-05-24T00:00:00Z"))
    }

    @Test func timeHasTwoForms() {
        #expect(time.full == "20130524T000000Z")
        #expect(time.day == "20130524")
    }

    @Test func getWithRange() {
        let authorization = signature.authorization(
            method: "GET",
            path: "/test.txt",
            query: [],
            headers: [
                ("host", host), ("range", "bytes=0-9"), ("x-amz-content-sha256", SignatureV4.emptyBodyHash),
                ("x-amz-date", time.full),
            ],
            bodyHash: SignatureV4.emptyBodyHash,
            time: time
        )
        #expect(
            authorization
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    @Test func putWithBody() {
        let bodyHash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        let authorization = signature.authorization(
            method: "PUT",
            path: "/" + PercentEncoding.encode("test$file.text"),
            query: [],
            headers: [
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("x-amz-date", time.full), ("host", host),
                ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-content-sha256", bodyHash),
            ],
            bodyHash: bodyHash,
            time: time
        )
        #expect(
            authorization.hasSuffix("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
        )
    }

    @Test(arguments: [
        (
            [S3Query("lifecycle")], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        ),
        (
            [S3Query("prefix", "J"), S3Query("max-keys", "2")],
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        ),
    ]) func getOfBucketWithQuery(_ query: [S3Query], _ expected: String) {
        let authorization = signature.authorization(
            method: "GET",
            path: "/",
            query: query,
            headers: [
                ("host", host), ("x-amz-date", time.full), ("x-amz-content-sha256", SignatureV4.emptyBodyHash),
            ],
            bodyHash: SignatureV4.emptyBodyHash,
            time: time
        )
        #expect(authorization.hasSuffix("Signature=\(expected)"))
    }

    @Test func presignedGet() {
        let query = signature.presignedQuery(path: "/test.txt", host: host, seconds: 86_400, time: time)
        #expect(
            query
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
    }

    @Test func pathsAreEncodedOnceAndNotNormalised() {
        let request = S3Request(.get, key: "a b/../c//d+%2F?#ü~")
        #expect(request.path(in: "bucket") == "/bucket/a%20b/../c//d%2B%252F%3F%23%C3%BC~")
    }
}
