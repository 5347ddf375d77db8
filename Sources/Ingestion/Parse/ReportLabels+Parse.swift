/// What a report's address says goes where an event says it itself: into columns, and into the payload.
extension ReportLabels {
    func fill(_ columns: inout EventColumns, _ room: inout TextRoom) {
        guard environment != nil || release != nil, let report = columns.payload, report.first == UInt8(ascii: "{")
        else { return }
        columns.environment = Self.text(environment, TextLimit.environment, &room)
        columns.release = Self.text(release, TextLimit.release, &room)
        let start = room.count
        room.append("{")
        for (name, value) in [("environment", columns.environment), ("release", columns.release)] as Members {
            guard let value else { continue }
            room.append("\"")
            room.append(name)
            room.append("\":\"")
            room.append(escaping: value)
            room.append("\",")
        }
        room.append(UnsafeRawBufferPointer(rebasing: report.dropFirst()))
        columns.payload = room.text(from: start)
    }

    private typealias Members = [(StaticString, UnsafeRawBufferPointer?)]

    private static func text(_ value: [UInt8]?, _ limit: Int, _ room: inout TextRoom) -> UnsafeRawBufferPointer? {
        guard let value else { return nil }
        let start = room.count
        value.withUnsafeBytes { room.append($0.prefix(characters: limit)) }
        return room.text(from: start)
    }
}
