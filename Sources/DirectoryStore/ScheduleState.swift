import Control
import Model

/// What is kept of one schedule besides what people write: its cursor and its runs. Text that people can read.
struct ScheduleState: Sendable, Equatable {
    /// Which way of writing it this is. Files of another are not understood.
    static let version: Int64 = 1

    let id: BotID
    var cursor = ScheduleCursor()
    /// No two of one slot.
    var runs: [RunRecord] = []

    /// Of a schedule that nothing is known of.
    init(id: BotID) { self.id = id }

    /// The runs' order when people look at them: the newest slot first.
    static func isNewer(_ left: RunRecord, _ right: RunRecord) -> Bool {
        left.slot == right.slot ? left.id < right.id : left.slot > right.slot
    }

    /// The state as JSON, a line for each run.
    var text: String {
        var lines = [
            #"  "version": \#(Self.version)"#,
            #"  "schedule_id": \#(JSONValue.string(id.text).text)"#,
        ]
        if let value = cursor.value { lines.append(#"  "next_execution_time": \#(value.text)"#) }
        if let basis = cursor.basis { lines.append(#"  "cursor_basis": \#(JSONValue.string(basis).text)"#) }
        let runs = runs.map { "    " + JSONValue.object($0.document).text }.joined(separator: ",\n")
        lines.append(#"  "runs": ["# + (runs.isEmpty ? "]" : "\n\(runs)\n  ]"))
        return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }

    /// Reads what ``text`` wrote.
    /// - Throws: ``StateProblem`` for anything less than all of it: what can't be read isn't nothing.
    init(text: String) throws(StateProblem) {
        let value: JSONValue
        do { value = try JSONValue.parse(text) } catch { throw StateProblem("is \(error)") }
        guard let object = value.object else { throw StateProblem("is \(value.kindName); expected an object") }
        guard object["version"] == .integer(Self.version) else {
            throw StateProblem(
                "version isn't \(Self.version); it was written by another version of this program, or by hand"
            )
        }
        guard let text = object["schedule_id"]?.string, let id = try? BotID(validating: text) else {
            throw StateProblem("schedule_id is missing or no id; expected text")
        }
        self.id = id
        let slot = object["next_execution_time"]
        cursor = ScheduleCursor(value: slot == .null ? nil : slot, basis: object["cursor_basis"]?.string)
        guard case .array(let elements) = object["runs"] else { throw StateProblem("runs isn't an array") }
        var slots: Set<Slot> = []
        for (index, element) in elements.enumerated() {
            guard let object = element.object else {
                throw StateProblem("runs[\(index)] is \(element.kindName); expected an object")
            }
            let run: RunRecord
            do { run = try RunRecord(document: object) } catch {
                throw StateProblem("runs[\(index)].\(error.field) \(error.problem)")
            }
            guard run.id == id else { throw StateProblem("runs[\(index)].schedule_id is another schedule's") }
            guard slots.insert(run.slot).inserted else {
                throw StateProblem("runs[\(index)].slot stands there twice")
            }
            runs.append(run)
        }
    }
}

extension ScheduleState {
    /// Adds a run unless there is one of its slot.
    /// - Returns: whether it was added.
    mutating func add(_ run: RunRecord) -> Bool {
        guard !runs.contains(where: { $0.slot == run.slot }) else { return false }
        runs.append(run)
        return true
    }

    /// Puts a run in the place of the one before it.
    /// - Returns: whether it stands there now.
    mutating func replace(_ run: RunRecord) -> Bool {
        guard let index = runs.firstIndex(where: { $0.slot == run.slot }) else { return false }
        // It may have been put there by the same call, whose answer was lost.
        guard runs[index] != run else { return true }
        guard runs[index].revision == run.revision &- 1 else { return false }
        runs[index] = run
        return true
    }

    /// Forgets all but the newest runs and those that haven't ended.
    mutating func trim(keeping count: Int) {
        guard runs.count > max(0, count) else { return }
        let kept = Set(runs.sorted(by: Self.isNewer).prefix(max(0, count)).map(\.slot))
        runs.removeAll { $0.phase == .ended && !kept.contains($0.slot) }
    }

    /// Sets the cursor if it stands where it was read.
    /// - Returns: whether that changed it.
    mutating func move(_ move: CursorMove) -> Bool {
        let cursor = ScheduleCursor(move.to, basis: move.basis)
        guard self.cursor == move.from, self.cursor != cursor else { return false }
        self.cursor = cursor
        return true
    }
}
