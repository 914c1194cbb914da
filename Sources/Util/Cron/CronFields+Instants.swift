/// From local times to instants, both in seconds since 1970; ``CronExpression`` tells what is meant.
extension CronFields {
    func firstInstant(after time: Int64, in zone: TimeZoneRules) -> Int64? {
        guard followsClock else {
            // A time that clocks have shown before has had its run.
            return firstLocalTime(from: zone.latestShown(through: time) + 1).map(zone.firstShowing)
        }
        var stretch = zone.stretch(at: time + 1)
        var from = time + 1 + zone.offsets[stretch]
        guard var found = firstLocalTime(from: from) else { return nil }
        while found - zone.offsets[stretch] >= zone.end(of: stretch) {
            stretch += 1
            let start = zone.starts[stretch] + zone.offsets[stretch]
            // Between `from` and `found` nothing fits, so a stretch that begins there needs no new search.
            guard start < from || start > found else { continue }
            from = start
            guard let next = firstLocalTime(from: from) else { return nil }
            found = next
        }
        return found - zone.offsets[stretch]
    }

    func lastInstant(before time: Int64, in zone: TimeZoneRules) -> Int64? {
        guard followsClock else {
            return lastLocalTime(upTo: zone.latestShown(through: time - 1)).map(zone.firstShowing)
        }
        var stretch = zone.stretch(at: time - 1)
        var upTo = time - 1 + zone.offsets[stretch]
        guard var found = lastLocalTime(upTo: upTo) else { return nil }
        while found - zone.offsets[stretch] < zone.starts[stretch] {
            stretch -= 1
            guard stretch >= 0 else { return nil }
            let last = zone.end(of: stretch) - 1 + zone.offsets[stretch]
            guard last > upTo || last < found else { continue }
            upTo = last
            guard let previous = lastLocalTime(upTo: upTo) else { return nil }
            found = previous
        }
        return found - zone.offsets[stretch]
    }
}
