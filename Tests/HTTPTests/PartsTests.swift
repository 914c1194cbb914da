import Testing

@testable import HTTP

@Suite struct PartsTests {
    @Test func queueKeepsOrderHoweverItIsUsed() {
        var queue = FIFO<Int>()
        var expected: [Int] = []
        var number = 0
        for round in 0..<500 {
            for _ in 0..<(round % 7) {
                queue.append(number)
                expected.append(number)
                number += 1
            }
            for _ in 0..<(round % 5) where !expected.isEmpty { #expect(queue.popFirst() == expected.removeFirst()) }
        }
        while let next = queue.popFirst() { #expect(next == expected.removeFirst()) }
        #expect(expected.isEmpty)
        #expect(queue.popFirst() == nil)
    }

    @Test func remindersComeInTheOrderOfTime() {
        let start = ContinuousClock.now
        var heap = DeadlineHeap<Int>()
        let order = (0..<300).shuffled()
        for number in order { heap.insert(number, at: start + .seconds(number)) }
        #expect(heap.popDue(start - .seconds(1)) == nil)
        for number in 0..<100 { #expect(heap.popDue(start + .seconds(99)) == number) }
        #expect(heap.popDue(start + .seconds(99)) == nil)
        heap.compact { $0.isMultiple(of: 2) }
        #expect(heap.count == 100)
        #expect(heap.earliest == start + .seconds(100))
        for number in stride(from: 100, to: 300, by: 2) { #expect(heap.popDue(start + .seconds(1000)) == number) }
        #expect(heap.count == 0)
    }

    private func parse(_ lines: [String], status: Int = 200) throws -> HTTPHeaders? {
        var parser = HeadParser()
        var result: HTTPHeaders?
        for line in lines {
            if let headers = try Array((line + "\r\n").utf8).withUnsafeBytes({ try parser.take($0, status: status) }) {
                #expect(result == nil)
                result = headers
            }
        }
        return result
    }

    @Test func fieldsAreTakenApart() throws {
        let headers = try parse(["HTTP/1.1 200 OK", "A: 1", "B:2", "c : \t 3:4 \t", "D:", "A: 5", ""])
        #expect(headers?.map(\.name) == ["A", "B", "c", "D", "A"])
        #expect(headers?.map(\.value) == ["1", "2", "3:4", "", "5"])
    }

    @Test func foldedValueIsOne() throws {
        #expect(try parse(["HTTP/1.1 200 OK", "A: 1", "  2", "\t3", ""])?.first("a") == "1 2 3")
    }

    @Test func trailersAreNoHead() throws {
        #expect(try parse(["HTTP/1.1 200 OK", "A: 1", "", "B: 2", ""])?.map(\.name) == ["A"])
    }

    @Test func headIsIncompleteWithoutItsEmptyLine() throws {
        #expect(try parse(["HTTP/1.1 200 OK", "A: 1"]) == nil)
        #expect(try parse(["HTTP/1.1 100 Continue", ""], status: 100) == nil)
        #expect(try parse(["HTTP/1.1 101 Switching Protocols", ""], status: 101) != nil)
    }

    @Test(arguments: [
        ["Content-Length: x"], ["Content-Length: "], ["Content-Length: +1"],
        ["Content-Length: 1", "content-length: 2"],
    ])
    func ambiguousLengthIsRefused(lines: [String]) {
        #expect(throws: HTTPError.self) { _ = try parse(["HTTP/1.1 200 OK"] + lines + [""]) }
    }

    @Test func equalLengthsAreOne() throws {
        #expect(
            try parse(["HTTP/1.1 200 OK", "Content-Length: 7", "Content-Length: 7", ""])?.first("content-length") == "7"
        )
    }

    @Test func invalidUTF8IsNoTrap() throws {
        var parser = HeadParser()
        for line in [[0xFF, 0xFE, 0x3A, 0xC3, 0x0D, 0x0A], [0x0D, 0x0A]] as [[UInt8]] {
            _ = try line.withUnsafeBytes { try parser.take($0, status: 200) }
        }
        #expect(parser.isComplete)
    }

    @Test func everyKindOfFailureSaysWhetherItMayPass() {
        for code in HTTPError.Code.allCases {
            let passes = [.refused, .unresolved, .timeoutConnect, .timeoutIdle, .timeoutTotal, .reset].contains(code)
            #expect(HTTPError(code, "").isRetryable == passes)
            #expect(HTTPError(code, "", isRetryable: !passes).isRetryable == !passes)
        }
    }
}
