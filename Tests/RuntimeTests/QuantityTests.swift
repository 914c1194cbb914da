import Runtime
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", 0), ("1", 1000), ("100m", 100), ("0.5", 500), ("1.5", 1500), ("500u", 1), ("1n", 1), ("2e3", 2_000_000),
        ("1E2", 100_000), ("1e-3", 1), (".5", 500), ("1.", 1000), ("+1", 1000), ("1k", 1_000_000),
    ])
    func thousandths(text: String, millis: Int64) throws { #expect(try Quantity(text).millis == millis) }

    @Test(arguments: [
        ("512Mi", 512 << 20), ("1Gi", 1 << 30), ("1.5Gi", 3 << 29), ("128974848", 128_974_848), ("129e6", 129_000_000),
        ("129M", 129_000_000), ("123Mi", 128_974_848), ("1Ki", 1024), ("7Ei", 7 << 60), ("100m", 1), ("1.1", 2),
        ("9E", 9_000_000_000_000_000_000),
    ])
    func wholeUnitsAreRoundedUp(text: String, units: Int64) throws { #expect(try Quantity(text).roundedUp == units) }

    @Test(arguments: [
        "", " 1", "1 ", "Mi", "-1", "1mi", "1KI", "1kB", "0x10", "1e", "1e1000", "8Ei", "1.2.3", "1,5", "NaN", "inf",
        "١", "1e+", "--1",
        "99999999999999999999999999999999999999999", "1MiMi",
    ])
    func otherTextIsAnErrorThatSaysWhatIsAllowed(text: String) {
        #expect { _ = try Quantity(text) } throws: { ($0 as? QuantityError)?.description.contains("Mi") ?? false }
    }

    @Test func quantitiesCompareByAmount() throws {
        #expect(try Quantity("1Gi") > Quantity("1G"))
        #expect(try Quantity("1000m") == Quantity("1"))
    }
}
