internal import Notation
internal import Scoreboard

/// One request that is refused, as it is shown.
struct PoisonRecord {
    private let suspect: Suspect

    init(_ suspect: Suspect) {
        self.suspect = suspect
    }

    /// The number of 32 hex digits, in any case; nil for anything else.
    static func identifier(_ text: String) -> UInt128? {
        APIKey.normalized(text).flatMap { UInt128($0, radix: 16) }
    }

    var cells: [String] {
        [
            request, "\(suspect.body.project)", "\(suspect.body.size)", hash, "\(suspect.deaths)",
            time,
        ]
    }

    var json: JSON {
        .object([
            "request": .string(request), "project_id": .integer(suspect.body.project),
            "bytes": .integer(Int64(suspect.body.size)), "hash": .string(hash),
            "deaths": .integer(Int64(suspect.deaths)), "died_at": .string(time),
        ])
    }

    private var request: String { suspect.request.hexDigits }
    private var time: String { StatusReport.time(Double(suspect.diedAt) / 1e6) }
    private var hash: String { suspect.body.hash.hexDigits }
}
