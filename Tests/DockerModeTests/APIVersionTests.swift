import Testing

@testable import DockerMode

@Suite struct APIVersionTests {
    @Test(arguments: [
        ("1.41", "1.12", "1.41"), ("1.52", "1.44", "1.47"), ("1.40", "1.24", "1.40"), ("1.47", "1.47", "1.47"),
    ])
    func theNewestCommonVersionIsSpoken(_ newest: String, _ oldest: String, _ expected: String) throws {
        let version = try APIVersion.agreed(engineNewest: try #require(APIVersion(newest)), oldest: APIVersion(oldest))
        #expect(version.description == expected)
    }

    @Test(arguments: [("1.39", "1.12"), ("1.60", "1.48")])
    func anEngineWithoutACommonVersionIsRefused(_ newest: String, _ oldest: String) throws {
        let newest = try #require(APIVersion(newest))
        let error = #expect(throws: DockerError.self) {
            try APIVersion.agreed(engineNewest: newest, oldest: APIVersion(oldest))
        }
        #expect(error?.code == .refused)
        #expect(error?.message.contains("\(newest)") == true)
    }

    @Test(arguments: ["", "1", "1.", ".1", "1.2.3", "a.b", "-1.2", "1.-2"])
    func whatIsNoVersionIsNone(_ text: String) {
        #expect(APIVersion(text) == nil)
    }

    @Test func ordersByNumberAndNotByText() {
        #expect(APIVersion(1, 9) < APIVersion(1, 41))
        #expect(APIVersion(1, 41) < APIVersion(2, 0))
    }
}
