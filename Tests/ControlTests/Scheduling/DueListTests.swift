import Model
import TestSupport
import Testing
import Util

@testable import Control

/// When each schedule is looked at.
@Suite struct DueListTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(secondsSince1970: seconds) }

    @Test func theEarliestComesFirst() {
        let list = DueList()
        list.set("c", at: at(30))
        list.set("a", at: at(10))
        list.set("b", at: at(20))
        #expect(list.count == 3)
        #expect(list.earliest == at(10))
        #expect(list.take(upTo: at(9), limit: 10).isEmpty)
        #expect(list.take(upTo: at(30), limit: 10) == ["a", "b", "c"])
        #expect(list.count == 0)
        #expect(list.earliest == nil)
    }

    @Test func noMoreThanTheLimitIsTaken() {
        let list = DueList()
        for number in 1...5 { list.set(BotID("s\(number)"), at: at(Int64(number))) }
        #expect(list.take(upTo: at(9), limit: 2) == ["s1", "s2"])
        #expect(list.take(upTo: at(9), limit: 0).isEmpty)
        #expect(list.take(upTo: at(9), limit: 9) == ["s3", "s4", "s5"])
    }

    @Test func aScheduleIsOnTheListOnceAtItsLatestTime() {
        let list = DueList()
        list.set("a", at: at(10))
        list.set("a", at: at(30))
        list.set("b", at: at(20))
        #expect(list.count == 2)
        #expect(list.earliest == at(20))
        #expect(list.take(upTo: at(29), limit: 9) == ["b"])
        #expect(list.take(upTo: at(99), limit: 9) == ["a"])
        list.set("a", at: at(10))
        list.set("a", at: at(20))
        list.set("a", at: at(10))
        #expect(list.take(upTo: at(99), limit: 9) == ["a"], "an entry that is current again counts once")
    }

    @Test func whatIsTakenOffTheListDoesNotCome() {
        let list = DueList()
        list.set("a", at: at(10))
        list.set("b", at: at(10))
        list.set("c", at: at(10))
        list.set("a", at: nil)
        list.retain(["a", "c", "d"])
        #expect(list.earliest == at(10))
        #expect(list.take(upTo: at(99), limit: 9) == ["c"])
        #expect(list.earliest == nil)
    }

    @Test func wakingBringsForwardAndNeverPutsOff() {
        let list = DueList()
        list.set("a", at: at(50))
        list.wake("a", at: at(10))
        #expect(list.earliest == at(10))
        list.wake("a", at: at(20))
        #expect(list.earliest == at(10))
        list.wake("new", at: at(5))
        #expect(list.take(upTo: at(10), limit: 9) == ["new", "a"])
    }

    /// Whoever sets an alarm for the earliest time at each change, and at no other time, is never late.
    @Test func f33EverySlotHasAnAlarmWhateverIsTakenBefore() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let list = DueList()
            var alarms: Set<Timestamp> = []
            var heard = 0
            var now: Int64 = 0
            for step in 0..<60 {
                let id = BotID("s\(Int.random(in: 0..<5, using: &random))")
                switch Int.random(in: 0..<6, using: &random) {
                case 0: list.set(id, at: nil)
                case 1: list.wake(id, at: at(now))
                case 2: list.retain(Set((0..<4).map { BotID("s\($0)") }))
                default: list.set(id, at: at(now + Int64.random(in: 1...20, using: &random)))
                }
                if list.announcements > heard, let earliest = list.earliest { alarms.insert(earliest) }
                heard = list.announcements
                now += 1
                // Nobody looks without an alarm.
                while let alarm = alarms.min(), alarm <= at(now) {
                    alarms.remove(alarm)
                    if let earliest = list.earliest, earliest > at(now) { alarms.insert(earliest) }
                    // As a scheduler does: what is taken comes again later.
                    while case let ids = list.take(upTo: at(now), limit: 2), !ids.isEmpty {
                        for id in ids where Bool.random(using: &random) {
                            list.set(id, at: at(now + Int64.random(in: 1...20, using: &random)))
                        }
                    }
                    if list.announcements > heard, let earliest = list.earliest { alarms.insert(earliest) }
                    heard = list.announcements
                }
                if let earliest = list.earliest, alarms.allSatisfy({ $0 > max(earliest, at(now)) }) {
                    Issue.record("seed \(seed), step \(step): due at \(earliest), and no alarm before")
                    return
                }
            }
        }
    }

    @Test func aSecondScheduleIsAnnouncedWhenTheFirstIsTaken() {
        let list = DueList()
        list.set("a", at: at(10))
        list.set("b", at: at(20))
        let before = list.announcements
        #expect(list.take(upTo: at(10), limit: 9) == ["a"])
        list.set("a", at: at(30))
        #expect(list.announcements > before, "20 is the earliest now, for which nobody has set an alarm")
        #expect(list.earliest == at(20))
    }

    /// Woken while it is being claimed for, and then claimed: the entry of the waking must not hide the slot.
    @Test func f33ASlotBehindAnEntryThatIsOutOfDateIsAnnounced() {
        let list = DueList()
        list.wake("a", at: at(10))
        #expect(list.take(upTo: at(10), limit: 9) == ["a"])
        list.wake("a", at: at(11))
        let before = list.announcements
        list.set("a", at: at(20))
        #expect(list.announcements > before)
    }

    /// Whoever heard that one is due forgot about the others.
    @Test func f33WhereTheOneThatWasDueIsPutOffTheNextIsAnnounced() {
        let list = DueList()
        list.set("a", at: at(10))
        list.set("b", at: at(20))
        list.set("a", at: at(30))
        let before = list.announcements
        #expect(list.take(upTo: at(10), limit: 9).isEmpty)
        #expect(list.announcements > before)
    }

    @Test func whatIsOutOfDateTakesNoRoom() {
        let list = DueList()
        for number in 0..<10 { list.set(BotID("s\(number)"), at: at(1_000_000)) }
        for round in 0..<10_000 as Range<Int64> {
            list.wake("s1", at: at(round))
            #expect(list.take(upTo: at(round), limit: 9) == ["s1"])
            list.set("s1", at: at(1_000_000 + round % 2))
        }
        #expect(list.count == 10)
        #expect(list.size < 200, "entries pile up")
        #expect(list.take(upTo: at(2_000_000), limit: 99).count == 10)
    }

    /// Against a plain table, over random calls.
    @Test func itIsWhatAPlainTableIs() {
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let list = DueList()
            var table: [BotID: Timestamp] = [:]
            for _ in 0..<200 {
                let id = BotID("s\(Int.random(in: 0..<12, using: &random))")
                let time = at(Int64.random(in: 0..<40, using: &random))
                switch Int.random(in: 0..<8, using: &random) {
                case 0...2:
                    list.set(id, at: time)
                    table[id] = time
                case 3:
                    list.set(id, at: nil)
                    table[id] = nil
                case 4:
                    list.wake(id, at: time)
                    table[id] = min(table[id] ?? time, time)
                case 5:
                    let kept = Set((0..<10).map { BotID("s\($0)") })
                    list.retain(kept)
                    table = table.filter { kept.contains($0.key) }
                default:
                    let limit = Int.random(in: 0...4, using: &random)
                    let taken = list.take(upTo: time, limit: limit)
                    let due = table.filter { $0.value <= time }
                    #expect(taken.count == min(limit, due.count))
                    #expect(Set(taken).count == taken.count)
                    let times = taken.compactMap { table[$0] }
                    #expect(times == due.values.sorted().prefix(limit).map { $0 })
                    for id in taken { table[id] = nil }
                }
                #expect(list.count == table.count)
                #expect(list.earliest == table.values.min())
            }
        }
    }
}
