import Foundation
import Runtime
import TestSupport
import Testing
import Util

@testable import LocalMode

@Suite struct FuzzTests {
    @Test func aFileOfOutputIsReadRecordByRecordUntilItIsNoneOfOurs() throws {
        var entries = 0
        try fuzz(try Corpus("records", in: .module), count: 6000, longest: 2000) { bytes, mutator in
            var rest = bytes[...]
            while !rest.isEmpty {
                guard case .entry(let entry, let size) = OutputRecord.read(rest) else { return }
                entries += 1
                try must((1...rest.count).contains(size), "\(size) of \(rest.count) bytes")
                // What isn't all there yet is not taken for something else.
                let part = rest.prefix(mutator.number(0...size - 1))
                guard case .incomplete(let known) = OutputRecord.read(part) else {
                    throw FixtureError("a part of \(part.count) bytes is taken for something")
                }
                try must(known == nil || known == size, "\(known ?? 0) instead of \(size)")
                if case .line(let text) = entry {
                    try must(text.bytes.count < size && text.cut >= 0, "\(text.bytes.count) bytes of \(size)")
                }
                rest = rest.dropFirst(size)
            }
        }
        #expect(entries > 300)
    }
}
