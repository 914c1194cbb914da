import Control
import Foundation
import TestSupport
import Testing

@testable import MongoStore

@Suite struct URIFuzzTests {
    @Test func anyConnectionStringIsReadOrRefusedAndItsPasswordNeverShown() throws {
        var accepted = 0
        try fuzz(try Corpus("uris", in: .module), count: 3000, longest: 2000) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                let uri = try MongoURI(text)
                accepted += 1
                try must(uri.socketTimeout >= 0 || text.contains("socketTimeoutMS"), "\(uri.socketTimeout)")
            } catch let error as StoreError {
                try must(error.code == .refused, "\(error)")
                // Where it stands as a password, not where a mutation put it elsewhere.
                guard text.hasPrefix("mongodb://user:hunter2hunter2@") else { return }
                let rest = text.dropFirst("mongodb://user:hunter2hunter2@".count)
                guard !rest.contains("hunter2") else { return }
                try must(!error.message.contains("hunter2"), error.message)
            }
        }
        #expect(accepted > 100)
    }
}
