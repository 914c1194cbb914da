import Foundation
import HTTP
import TestSupport
import Testing
import Util

@testable import ObjectStorage

/// What an object store, or whatever answers in its place, may send; and what a setting may be.
@Suite struct FuzzTests {
    private let configuration: S3Configuration

    init() throws {
        configuration = try S3Configuration(
            endpoint: "h:1",
            accessKey: "AKIAHUNTER",
            secretKey: "hunter2hunter2",
            bucket: "bucket"
        )
    }

    @Test func anAnswerIsReadOrRefusedAndNoErrorShowsACredential() throws {
        let storage = S3ObjectStorage(
            configuration,
            client: HTTPClient(),
            executor: try BlockingExecutor(name: "fuzz", threads: 1)
        )
        var pages = 0
        var failures = 0
        try fuzz(try Corpus("answers", in: .module), count: 5000) { bytes, mutator in
            do {
                if let node = XMLNode.parse(bytes) {
                    let page = try storage.listing(node)
                    pages += 1
                    try must(page.objects.allSatisfy { $0.size >= 0 } && page.next != "", "\(page)")
                }
            } catch let error as ObjectStorageError {
                try expectShown(error, .unexpectedAnswer)
            }
            let status = [200, 301, 400, 403, 404, 412, 429, 500, 503, 0][mutator.number(0...9)]
            let failure = S3Failure(status: status, body: bytes)
            if failure.code != nil { failures += 1 }
            try expectShown(failure.error(for: S3Request(.get, key: "k"), at: configuration), nil)
        }
        #expect(pages > 0 && failures > 0, "\(pages) pages, \(failures) failures")
    }

    private func expectShown(_ error: ObjectStorageError, _ code: ObjectStorageError.Code?) throws {
        try must(code == nil || error.code == code, "\(error)")
        try must(error.message.utf8.count < 5000, "a message of \(error.message.utf8.count) bytes")
        try must(!error.message.unicodeScalars.contains { $0.value < 0x20 }, error.message)
        guard code == nil else { return }
        try must(!error.message.contains("hunter2hunter2") && !error.message.contains("AKIAHUNTER"), error.message)
    }

    @Test func halfACredentialWhereAMessageIsCutIsNotShownEither() {
        for count in 140...160 {
            let text = String(repeating: "x", count: count) + "hunter2hunter2 AKIAHUNTER"
            let body = Array("<Error><Code>AccessDenied</Code><Message>\(text)</Message></Error>".utf8)
            let error = S3Failure(status: 403, body: body).error(for: S3Request(.get, key: "k"), at: configuration)
            #expect(!error.message.contains("hun") && !error.message.contains("AKIA"), "\(error)")
        }
    }

    @Test func anyEndpointIsOneOfHostAndPortOrRefused() throws {
        try fuzz(try Corpus("endpoints", in: .module), count: 6000, longest: 400) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let accepted = try S3Configuration(endpoint: text, accessKey: "a", secretKey: "s", bucket: "bbb")
                try must(accepted.endpoint == text && text.utf8.count <= 260, text)
                try must(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"%".utf8.contains($0) }, text)
            } catch let error as ObjectStorageError {
                try must(error.code == .invalidConfiguration && !error.isRetryable, "\(error)")
                try must(error.message.utf8.count < 2000, "a message of \(error.message.utf8.count) bytes")
            }
            try must(PercentEncoding.decode(PercentEncoding.encode(text), plusIsSpace: false) == text, text)
            if let decoded = PercentEncoding.decode(text, plusIsSpace: true) {
                try must(PercentEncoding.decode(PercentEncoding.encode(decoded), plusIsSpace: true) == decoded, text)
            }
        }
    }
}
