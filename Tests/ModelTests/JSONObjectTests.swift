import Model
import Testing

/// Objects with few members are searched, those with many have an index: both sides of the border, and across it.
@Suite struct JSONObjectTests {
    private func object(_ count: Int) -> JSONObject {
        var object = JSONObject()
        for number in 0..<count { object["k\(number)"] = .integer(Int64(number)) }
        return object
    }

    @Test(arguments: [0, 1, 15, 16, 17, 18, 1000])
    func everyMemberIsFoundInOrder(count: Int) {
        var object = object(count)
        #expect(object.keys == (0..<count).map { "k\($0)" })
        #expect(object.count == count && object.isEmpty == (count == 0))
        for number in 0..<count { #expect(object["k\(number)"] == .integer(Int64(number))) }
        #expect(object["k\(count)"] == nil)
        for number in 0..<count { object["k\(number)"] = .integer(Int64(-number)) }
        #expect(object.members.map(\.value) == (0..<count).map { .integer(Int64(-$0)) })
        #expect(object.keys == (0..<count).map { "k\($0)" })
    }

    @Test func removingLeavesTheOthersWhereTheyCanBeFound() {
        var object = object(20)
        for number in stride(from: 0, to: 20, by: 2) {
            object["k\(number)"] = nil
            #expect(object["k\(number)"] == nil)
            for other in 0..<20 where other > number || other % 2 == 1 {
                #expect(object["k\(other)"] == .integer(Int64(other)), "without k\(number)")
            }
        }
        #expect(object.keys == stride(from: 1, to: 20, by: 2).map { "k\($0)" })
        for number in 20..<40 { object["k\(number)"] = .integer(Int64(number)) }
        #expect(object["k1"] == 1 && object["k39"] == 39 && object.count == 30)
    }

    @Test(arguments: [3, 16, 17, 40])
    func orderIsNotMeaningHoweverManyThereAre(count: Int) {
        var reversed = JSONObject()
        for number in (0..<count).reversed() { reversed["k\(number)"] = .integer(Int64(number)) }
        #expect(reversed == object(count))
        #expect(reversed.hashValue == object(count).hashValue)
        var other = reversed
        other["k0"] = "else"
        #expect(other != reversed)
        other = reversed
        other["k0"] = nil
        #expect(other != reversed && reversed != other)
        other["\u{e9}"] = 0
        reversed["k0"] = nil
        reversed["e\u{301}"] = 0
        #expect(other != reversed)
    }
}
