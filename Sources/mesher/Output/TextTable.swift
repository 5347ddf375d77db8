/// Rows in columns that line up, for people; a program reads `--json`.
///
/// What strangers sent can stand in a cell: control characters, which a terminal would obey, are shown as U+FFFD.
struct TextTable: CustomStringConvertible {
    enum Alignment { case left, right }

    private let titles: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// - Parameter columns: a title each, and on which side its cells line up.
    init(_ columns: KeyValuePairs<String, Alignment>) {
        titles = columns.map(\.key)
        alignments = columns.map(\.value)
    }

    /// Adds a row; nil shows as "-". Cells beyond the last column are dropped.
    mutating func append(_ cells: [String?]) {
        rows.append(zip(titles, cells).map { _, cell in Self.printable(cell ?? "-") })
    }

    var description: String {
        let lines = [titles] + rows
        let widths = titles.indices.map { column in
            lines.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return lines.map { cells in
            let padded = cells.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return alignments[column] == .left ? cell + padding : padding + cell
            }
            return Self.withoutTrailingSpaces(padded.joined(separator: "  "))
        }.joined(separator: "\n")
    }

    /// Text that a terminal only shows.
    static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", "\t": result.append(" ")
            case _ where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format:
                result.append("\u{fffd}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func withoutTrailingSpaces(_ line: String) -> String {
        var rest = line[...]
        while rest.last == " " { rest = rest.dropLast() }
        return String(rest)
    }
}
