import TestSupport

/// `docs/benchmarks.md`: the table as last measured, row by row, each with its date and what is to be said of it.
struct BenchmarkPage {
    static let path = "\(ServicePrograms.root)/docs/benchmarks.md"

    /// The table's lines and the notes of each row, by the row's name.
    private var lines: [String: [String]] = [:]
    private var notes: [String: [String]] = [:]

    /// The page as it is; without one an empty page.
    init(_ text: String?) {
        var section: String?
        for line in (text ?? "").split(separator: "\n").map(String.init) {
            if line.hasPrefix("### `") {
                section = line.split(separator: "`").dropFirst().first.map(String.init)
            } else if line.hasPrefix("| `") {
                let name = String(line.split(separator: "`")[1])
                lines[name, default: []].append(line)
            } else if let section {
                notes[section, default: []].append(line)
            }
        }
    }

    /// Puts a row's new figures in the place of the old ones.
    mutating func set(_ row: Row, _ report: Report, _ machine: Machine) {
        lines[row.name] = report.figures.map { figure in
            let cells = ["`\(row.name)`"] + figure.cells + [machine.date]
            return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
        }
        notes[row.name] = ["Measured on \(machine)."] + report.notes.map { "- \($0)" }
    }

    /// The whole page.
    var text: String {
        var text = """
            # Benchmarks

            Made by `make bench ARGS=--write` (`scripts/bench --help`), which measures the release-built program as a process
            of its own. Ratios are of medians, against a floor measured in the same run in turns with the program: containers
            of the same settings, created and started straight through the engine's API. What isn't reached is said so.

            | row | work | measured | spread | to reach | reached | date |
            |---|---|---|---|---|---|---|

            """
        for row in Row.all { text += (lines[row.name] ?? []).map { "\($0)\n" }.joined() }
        text += "\n## Notes\n"
        for row in Row.all {
            guard let notes = notes[row.name] else { continue }
            text += "\n### `\(row.name)`: \(row.title)\n\n" + notes.map { "\($0)\n" }.joined(separator: "")
        }
        return text
    }
}
