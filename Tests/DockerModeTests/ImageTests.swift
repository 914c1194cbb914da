import Testing

@testable import DockerMode

@Suite struct ImageTests {
    @Test(arguments: [
        ("python:3.11-slim", "python", "3.11-slim"), ("python", "python", "latest"),
        ("host:5000/a/b", "host:5000/a/b", "latest"), ("host:5000/a/b:t", "host:5000/a/b", "t"),
        ("a@sha256:00", "a@sha256:00", ""),
    ])
    func namesAreTakenApart(_ text: String, _ name: String, _ tag: String) {
        let reference = ImageReference(text)
        #expect(reference.name == name)
        #expect(reference.tag == tag)
    }

    @Test func aPullIsReportedNowAndThenAndItsFailureIsFound() {
        var progress = PullProgress(pause: .seconds(5))
        let start = ContinuousClock.now
        func line(_ text: String, after seconds: Int) -> String? {
            progress.take(Array(text.utf8), at: start + .seconds(seconds))
        }
        #expect(line(#"{"status":"Pulling from x"}"#, after: 0) == nil)
        #expect(
            line(#"{"id":"a","progressDetail":{"current":1048576,"total":4194304}}"#, after: 0)
                == "1 of 4 MiB in 1 layers"
        )
        #expect(line(#"{"id":"a","progressDetail":{"current":2097152,"total":4194304}}"#, after: 4) == nil)
        #expect(
            line(#"{"id":"b","progressDetail":{"current":0,"total":1048576}}"#, after: 6) == "2 of 5 MiB in 2 layers"
        )
        #expect(progress.problem == nil)
        #expect(line(#"{"errorDetail":{"message":"manifest\nunknown"},"error":"manifest unknown"}"#, after: 6) == nil)
        #expect(progress.problem == "manifest unknown")
    }

    @Test func progressThatIsNoJSONIsAFailure() {
        var progress = PullProgress()
        _ = progress.take(Array("<html>".utf8), at: .now)
        #expect(progress.problem != nil)
    }

    @Test func linesAreCutAcrossPieces() {
        var lines = LineSplitter(limit: 5)
        #expect(lines.add(Array("ab".utf8)).isEmpty)
        #expect(lines.add(Array("c\n\nd".utf8)) == [Array("abc".utf8), []])
        #expect(lines.rest == Array("d".utf8))
        #expect(lines.add(Array("0123456789\n".utf8)) == [Array("d0123".utf8)])
        #expect(lines.rest == nil)
    }
}
