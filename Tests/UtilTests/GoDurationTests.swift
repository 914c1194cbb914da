import Testing
import Util

@Suite struct GoDurationTests {
    @Test(arguments: [
        ("0", Duration.zero), ("+0", .zero), ("-0", .zero), ("0s", .zero),
        ("30s", .seconds(30)), ("1m30s", .seconds(90)), ("500ms", .milliseconds(500)), ("1h", .seconds(3600)),
        ("1.5h", .seconds(5400)), ("2us", .microseconds(2)), ("2\u{B5}s", .microseconds(2)),
        ("2\u{3BC}s", .microseconds(2)), ("100ns", .nanoseconds(100)), ("-1s", .seconds(-1)), ("+5s", .seconds(5)),
        (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("1h2m3s4ms5us6ns", .nanoseconds(3_723_004_005_006)),
        ("1s1s", .seconds(2)), ("0.100000000000000000000h", .seconds(360)), ("1.9ns", .nanoseconds(1)),
        ("0.3333333333333333333h", .nanoseconds(1_199_999_999_999)), ("007s", .seconds(7)),
        ("9223372036854775807ns", .nanoseconds(Int64.max)), ("-9223372036854775808ns", .nanoseconds(Int64.min)),
        ("2562047h47m16.854775807s", .nanoseconds(Int64.max)),
    ])
    func goDurationsAreRead(text: String, expected: Duration) throws {
        #expect(try GoDuration.parse(text) == expected)
    }

    @Test(arguments: [
        "", " ", "3", "-", "+", "s", ".", "-.", ".s", "+.s", "1d", "1S", "1 s", " 1s", "1s ", "--1s", "1e3s", "١s",
        "1ｓ",
        "3000000h", "9223372036854775808ns", "-9223372036854775809ns", "9223372036854775.808us",
        "99999999999999999999999999s", "0x1s", "1s\u{0}", "1m-30s", "∞s", "1.2.3s", "00", "0.",
    ])
    func anythingElseIsAnErrorThatNamesTheText(text: String) {
        let error = #expect(throws: UtilError.self) { try GoDuration.parse(text) }
        #expect(error?.code == .invalidDuration)
        #expect(error?.message.contains("\"\(text.prefix(8).filter { $0 != "\u{0}" })") == true)
        #expect(error?.isRetryable == false)
    }

    @Test func errorsSayWhatIsAllowed() {
        #expect(throws: UtilError.self) { try GoDuration.parse("5 parsecs") }
        func message(_ text: String, minimum: Duration? = nil) -> String {
            do {
                return "no error but \(try GoDuration.parse(text, minimum: minimum))"
            } catch {
                return error.message
            }
        }
        #expect(message("30") == "duration \"30\" lacks a unit: allowed are h, m, s, ms, us (or µs) and ns")
        #expect(
            message("3d") == "duration \"3d\" has an unknown unit \"d\": allowed are h, m, s, ms, us (or µs) and ns"
        )
        #expect(message("-1s", minimum: .zero) == "duration \"-1s\" is too short: the least allowed is 0s")
        #expect(message("999999999h").contains("too long"))
        #expect(message("\u{1B}[31m\n").hasPrefix("\"\\u001b[31m\\n\" is no duration"))
        #expect(message(String(repeating: "x", count: 1_000_000)).utf8.count < 300)
    }

    @Test(arguments: [
        (Duration.zero, "0s"), (.nanoseconds(1), "1ns"), (.nanoseconds(1_100), "1.1µs"),
        (.nanoseconds(2_200_000), "2.2ms"), (.milliseconds(500), "500ms"), (.milliseconds(1_500), "1.5s"),
        (.seconds(30), "30s"), (.seconds(90), "1m30s"), (.seconds(60), "1m0s"), (.seconds(3600), "1h0m0s"),
        (.milliseconds(245_001), "4m5.001s"), (.milliseconds(18_367_001), "5h6m7.001s"),
        (.nanoseconds(Int64.max), "2562047h47m16.854775807s"), (.nanoseconds(Int64.min), "-2562047h47m16.854775808s"),
        (.seconds(-1), "-1s"), (.milliseconds(-500), "-500ms"), (.milliseconds(-1_500), "-1.5s"),
        (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), "0s"),
        (Duration(secondsComponent: 0, attosecondsComponent: -999_999_999), "0s"),
        (Duration(secondsComponent: .max, attosecondsComponent: 0), "2562047788015215h30m7s"),
    ])
    func durationsAreWrittenAsGoDoes(duration: Duration, expected: String) {
        #expect(GoDuration.string(duration) == expected)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let bits = Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0..<63, using: &generator)
            let duration = Duration.nanoseconds(bits)
            #expect(try GoDuration.parse(GoDuration.string(duration)) == duration)
        }
    }
}
