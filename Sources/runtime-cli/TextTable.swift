/// Columns of text, as wide as their widest cell.
enum TextTable {
    /// Control characters in cells are shown as `?`: an id may not move the cursor or forge a row.
    static func render(header: [String], rows: [[String]]) -> String {
        let cells = ([header] + rows).map { $0.map(printable) }
        var widths = header.map(\.count)
        for row in cells { for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) } }
        return cells.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                line += cell
                if index < row.count - 1 { line += String(repeating: " ", count: widths[index] - cell.count + 2) }
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    /// The text with `?` for whatever controls a terminal or has no look of its own.
    static func printable(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                output.append("?")
            default: output.append(scalar)
            }
        }
        return String(output)
    }
}
