import Foundation
import Glibc
import Model
import TestSupport
import Testing

@testable import Runtime

@Suite struct FuzzTests {
    @Test func quantitiesAreWhatPlainReckoningSays() throws {
        let most = "9223372036854775807000000000"
        var accepted = 0
        try fuzz(try Corpus("quantities", in: .module), count: 10_000, longest: 100) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            let expected = QuantityOracle.nanos(text)
            do {
                let quantity = try Quantity(text)
                accepted += 1
                try must(String(quantity.nanos) == expected, "\(quantity.nanos) instead of \(expected ?? "an error")")
                try must(quantity.roundedUp >= 0 && quantity.millis >= 0, "a negative amount")
            } catch let error as QuantityError {
                try must(error.description.utf8.count < 1000, "a message of \(error.description.utf8.count) bytes")
                // More digits than the widest amount has, or longer than anybody writes, may be refused.
                guard let expected, text.utf8.count <= 20 else { return }
                try must(QuantityOracle.isGreater(expected, than: most), "\(error), but it is \(expected) billionths")
            }
        }
        #expect(accepted > 500)
    }

    /// Such a bot once ended the whole runner.
    @Test(arguments: ["9E", "9223372036854775807", "10G", "1000001", "1e18"])
    func moreCPUThanAnyMachineHasIsRefused(_ text: String) {
        for field in ["cpu_limit", "cpu_request"] {
            let error = #expect(throws: DocumentError.self) {
                try Resources(config: [field: .string(text)], id: "a", defaults: .standard)
            }
            #expect(error?.field == "config.\(field)")
            #expect(error?.problem.contains("1000000") == true)
        }
    }

    @Test func patternsMatchAsTheSystemsDo() throws {
        try fuzz(try Corpus("patterns", in: .module), count: 10_000, longest: 60) { bytes, _ in
            let parts = bytes.split(separator: 0x09, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !bytes.contains(0), bytes.allSatisfy({ $0 < 0x80 }) else { return }
            let (pattern, text) = (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
            let isMatch = GlobPattern(pattern[...]).matches(text)
            // Classes, a backslash in a set, and ranges that run backwards are read differently.
            let isPlain = !pattern.contains("[:") && !pattern.contains("[.") && !pattern.contains("[=")
            guard isPlain, !pattern.contains("\\"), !pattern.hasBackwardRange else { return }
            let expected = fnmatch(pattern, text, 0) == 0
            try must(isMatch == expected, "'\(pattern)' matches '\(text)': \(isMatch)")
        }
    }

    @Test func anyIgnoreFileIsAnsweredAtOnceAndTakenBackAsAWhole() throws {
        let paths = [
            "a.pyc", "src/__pycache__", "a/x/y/b", "docs/a.md", "#file", String(repeating: "a/", count: 200) + "b",
        ]
        try fuzz(try Corpus("ignore", in: .module), count: 1500, longest: 4000) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            let rules = IgnoreRules(text)
            let reset = IgnoreRules(text + "\n!**\n")
            for path in paths {
                for isDirectory in [false, true] {
                    // Both are asked: a rule for folders never leaves out less of a folder.
                    _ = rules.excludes(path, isDirectory: isDirectory)
                    try must(!reset.excludes(path, isDirectory: isDirectory), "\(path) isn't taken back")
                }
            }
        }
    }
}

extension String {
    /// Whether two ends of a range stand the wrong way round somewhere: what they mean is left open.
    fileprivate var hasBackwardRange: Bool {
        let bytes = Array(utf8)
        return bytes.indices.dropFirst().dropLast().contains { index in
            bytes[index] == UInt8(ascii: "-") && bytes[index - 1] > bytes[index + 1]
        }
    }
}
