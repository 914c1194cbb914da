import Foundation
import TestSupport
import Testing

@testable import Archive

/// Small zips kept as files; the name begins with the expected code, or with `ok`. `make.py` beside them made them.
@Suite struct CorpusTests {
    static let corpus: [(name: String, bytes: [UInt8])] = {
        guard let folder = Bundle.module.resourceURL?.appendingPathComponent("Corpus") else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".zip") }.sorted().compactMap { name in
            (try? Data(contentsOf: folder.appendingPathComponent(name))).map { (name, [UInt8]($0)) }
        }
    }()

    @Test func f27EveryZipOfTheCorpusIsJudgedAsItsNameSays() throws {
        #expect(Self.corpus.count >= 30)
        for (name, bytes) in Self.corpus {
            let scratch = try Scratch()
            let expected = String(name.prefix { $0 != "-" })
            do throws(ArchiveError) {
                _ = try scratch.repack(bytes)
                #expect(expected == "ok", "\(name) was accepted")
            } catch {
                #expect(error.code.rawValue == expected, "\(name): \(error)")
                #expect(try scratch.tree() == ["code.zip"], "\(name)")
            }
        }
    }

    @Test(.timeLimit(.minutes(120)), arguments: [UInt64(1), 27, 2026])
    func f27MutatedZipsNeverEscapeAndLeaveNothing(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed ^ Fuzzing.seed)
        let scratch = try Scratch()
        let files = FileManager.default
        try files.createDirectory(atPath: scratch("in"), withIntermediateDirectories: false)
        let limits = ArchiveLimits(maxEntries: 200, maxTotalBytes: 4 << 20, maxFileBytes: 2 << 20)
        let deadline = ContinuousClock.now + .seconds(15 * Fuzzing.rounds)
        var accepted = 0
        for round in 0..<(1500 * Fuzzing.rounds) where ContinuousClock.now < deadline {
            let base = try #require(Self.corpus.randomElement(using: &random))
            let bytes = mutated(base.bytes, using: &random)
            try scratch.write(bytes, to: "in/code.zip")
            do throws(ArchiveError) {
                let summary = try repackZip(
                    at: scratch("in/code.zip"),
                    to: scratch("in/code.tar"),
                    owner: .root,
                    limits: limits
                )
                accepted += 1
                try unpack(tar: scratch("in/code.tar"), into: scratch("in/out"), limits: limits)
                try check(summary, scratch: scratch)
                unlink(scratch("in/code.tar"))
            } catch {
                #expect(error.code != .io, "\(base.name), round \(round): \(error)")
                #expect(access(scratch("in/code.tar"), F_OK) != 0 && access(scratch("in/out"), F_OK) != 0, "\(error)")
            }
            try? files.removeItem(atPath: scratch("in/out"))
            #expect(try scratch.tree() == ["in", "in/code.zip"], "\(base.name), round \(round)")
        }
        #expect(accepted > 0)
        #expect(try scratch.openDescriptors().isEmpty)
    }

    /// All files are there, and all that is there resolves to a place inside.
    private func check(_ summary: ArchiveSummary, scratch: Scratch) throws(ArchiveError) {
        let root = scratch("in/out")
        let found = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
        #expect(found.count == summary.entries)
        for path in found {
            guard let real = realpath(root + "/" + path, nil) else { continue }
            let text = String(cString: real)
            free(real)
            #expect(text == root || text.hasPrefix(root + "/"), "\(path) leads to \(text)")
        }
    }

    private func mutated(_ original: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[position] = [0, 0xFF, 0x7F, 0x2E, 0x2F, 0x5C].randomElement(using: &random) ?? 0
            case 3: bytes[position] = .random(in: 0...255, using: &random)
            case 4: bytes.removeSubrange(position..<min(bytes.count, position + .random(in: 1...8, using: &random)))
            case 5: bytes.removeSubrange(position...)
            case 6: bytes.insert(.random(in: 0...255, using: &random), at: position)
            default:
                // Hit the records at the end, where most of the meaning is.
                let near = max(0, bytes.count - .random(in: 1...120, using: &random))
                if near < bytes.count { bytes[near] = .random(in: 0...255, using: &random) }
            }
        }
        return bytes
    }
}
