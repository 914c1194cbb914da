import Foundation
import HTTP
import Model
import Runtime
import TestSupport
import Testing
import Util

@testable import DockerMode

/// What an engine, or whatever answers in its place, may send.
@Suite struct FuzzTests {
    private func answer(_ bytes: [UInt8], status: Int = 200) -> EngineAnswer {
        EngineAnswer(call: EngineCall(method: .get, path: "/x"), status: status, body: bytes)
    }

    private func expectShown(_ error: DockerError) throws {
        try must(error.message.utf8.count < 4000, "a message of \(error.message.utf8.count) bytes")
        try must(!error.message.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, error.message)
    }

    @Test func aListOfContainersIsWhatTheFullParserReadsOrAnError() throws {
        var lists = 0
        try fuzz(try Corpus("containers", in: .module), count: 5000) { bytes, _ in
            do {
                let containers = try ContainerSummary.list(bytes)
                try must(
                    containers.allSatisfy { !$0.id.isEmpty && !$0.state.isEmpty },
                    "a container without id or state"
                )
                guard let value = try? JSONValue.parse(bytes), case .array(let elements) = value else { return }
                lists += 1
                try must(containers.map(\.id) == elements.map { $0.object?["Id"]?.string ?? "" }, "\(containers)")
                try must(containers.map(\.state) == elements.map { $0.object?["State"]?.string ?? "" }, "\(containers)")
            } catch let error as JSONSkimmer.Failure {
                try must((0...bytes.count).contains(error.offset), "the error is at byte \(error.offset)")
            }
        }
        #expect(lists > 100)
    }

    @Test func aContainersDetailsAreReadOrRefusedAndSoIsItsHistory() throws {
        try fuzz(try Corpus("details", in: .module), count: 4000) { bytes, mutator in
            do {
                let details = try ContainerDetails(answer(bytes))
                _ = (LegacyContainer(details), details.variable("CONFIG"))
                try must(details.exit.platformError.utf8.count < 4000, "an error of any length")
            } catch let error as DockerError {
                try must(error.code == .badAnswer, "\(error)")
                try expectShown(error)
            }
            let status = [200, 204, 301, 400, 404, 409, 500, 0, 999][mutator.number(0...8)]
            do throws(DockerError) {
                _ = try answer(bytes, status: status).array()
            } catch {
                try expectShown(error)
            }
        }
    }

    @Test func anEventIsReadPassedOverOrRefused() throws {
        try fuzz(try Corpus("events", in: .module), count: 4000) { bytes, _ in
            do {
                guard let event = try EngineEvent(bytes) else { return }
                try must(!event.id.text.isEmpty, "an event of no bot")
                _ = event.concerns(.live, instance: "main")
            } catch let error as DockerError {
                try must(error.code == .badAnswer, "\(error)")
                try expectShown(error)
            }
        }
    }

    @Test func aPullsProgressIsToldHoweverItsPiecesFall() throws {
        try fuzz(try Corpus("pulls", in: .module), count: 3000) { bytes, mutator in
            let now = ContinuousClock.now
            func read(_ size: Int) -> (problem: String?, said: [String]) {
                var progress = PullProgress(pause: .zero)
                var lines = LineSplitter(limit: 4096)
                var said: [String] = []
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let piece = Array(bytes[start..<min(bytes.count, start + size)])
                    for line in lines.add(piece) { said += progress.take(line, at: now).map { [$0] } ?? [] }
                }
                return (progress.problem, said)
            }
            let (whole, pieces) = (read(max(1, bytes.count)), read(mutator.number(1...50)))
            try must(whole == pieces, "\(whole) and \(pieces)")
            try must((whole.problem ?? "").utf8.count < 4000, "a problem of any length")
        }
    }

    @Test func namesAddressesVersionsAndLoginsAreReadOrRefused() throws {
        try fuzz(try Corpus("texts", in: .module), count: 8000, longest: 500) { bytes, _ in
            let text = String(decoding: bytes, as: UTF8.self)
            if let version = APIVersion(text) { try must(APIVersion(version.description) == version, "\(version)") }
            _ = HTTPDate.seconds(text)
            let image = ImageReference(text)
            try must(text.hasPrefix(image.name) && !image.registry.isEmpty, "\(image)")
            _ = RegistryLogin(printed: bytes)
            if let entry = (try? JSONValue.parse(bytes))?.object, let login = RegistryLogin(entry: entry) {
                try must(login.header(server: text).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a header is broken")
            }
            do {
                let connection = try DockerConnection(host: text)
                if let socket = connection.unixSocket {
                    try must(socket.utf8.count <= 107 && !socket.utf8.contains(0), socket)
                } else {
                    try must(connection.base.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, connection.base)
                    try must(try DockerConnection(host: connection.base) == connection, connection.base)
                }
            } catch let error as DockerError {
                try must(error.code == .setting, "\(error)")
                try expectShown(error)
            }
        }
    }

    @Test func framesAreTheSameHoweverTheirPiecesFall() throws {
        try fuzz(try Corpus("frames", in: .module), count: 4000) { bytes, mutator in
            func read(_ size: () -> Int) -> (lines: [OutputLine], error: DockerError.Code?) {
                var frames = LogFrames(limit: 50)
                var rest = bytes[...]
                do throws(DockerError) {
                    while !rest.isEmpty {
                        let piece = rest.prefix(size())
                        try frames.add(Array(piece))
                        rest = rest.dropFirst(piece.count)
                    }
                } catch {
                    return (frames.finish(), error.code)
                }
                return (frames.finish(), nil)
            }
            let whole = read { max(1, bytes.count) }
            let pieces = read { mutator.number(1...40) }
            try must(whole.error == pieces.error, "\(whole) and \(pieces)")
            // Of a stream that breaks off in an error, what came before it may be told or not.
            if whole.error == nil { try must(whole.lines == pieces.lines, "\(whole) and \(pieces)") }
            try must(whole.lines.count <= 50, "\(whole.lines.count) lines")
        }
    }

    @Test func theTimeBeforeALineIsTheSameByBothWaysOfReadingIt() throws {
        try fuzz(try Corpus("frames", in: .module), count: 6000, longest: 200) { bytes, _ in
            // Behind the head of a frame.
            let text = Array(bytes.dropFirst(8))
            let read = text.withUnsafeBytes { LogTime.parse($0) }
            guard let space = text.prefix(40).firstIndex(of: 0x20) else {
                try must(read == nil, "a time without a space after it")
                return
            }
            let time = try? RFC3339.parse(String(decoding: text[..<space], as: UTF8.self))
            try must(read?.time == time, "\(String(describing: read)) and \(String(describing: time))")
        }
    }

    @Test func aPositionIsReadAsItWasWrittenOrNotAtAll() throws {
        try fuzz(try Corpus("positions", in: .module), count: 6000, longest: 300) { bytes, _ in
            guard let position = LogPosition(text: String(decoding: bytes, as: UTF8.self)) else { return }
            try must(position.count > 0 && (1...position.count).contains(position.alike), "\(position)")
            try must(LogPosition(text: position.text) == position, position.text)
        }
    }
}
