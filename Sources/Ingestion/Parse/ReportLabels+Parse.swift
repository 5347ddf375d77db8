import CJSON
import StorageChannel

/// Puts what a report's request says where an event would say it: into columns and payload.
extension ReportLabels {
    func fill(_ columns: inout EventColumns, _ report: mesher_json_value, _ room: inout TextRoom) {
        columns[.environment] = Self.text(environment, TextLimit.environment, &room)
        columns[.release] = Self.text(release, TextLimit.release, &room)
        let start = room.count
        Self.append("\"environment\":\"", columns[.environment], "\"", from: start, &room)
        Self.append("\"release\":\"", columns[.release], "\"", from: start, &room)
        address?.text.withUnsafeBytes { Self.append("\"user\":{\"ip_address\":\"", $0, "\"}", from: start, &room) }
        guard room.count > start else { return }
        columns.edit = PayloadEdit(of: report, inserting: room.text(from: start), into: report)
    }

    private static func append(
        _ before: StaticString, _ value: UnsafeRawBufferPointer?, _ after: StaticString, from start: Int,
        _ room: inout TextRoom
    ) {
        guard let value else { return }
        if room.count > start { room.append(",") }
        room.append(before)
        room.append(escaping: value)
        room.append(after)
    }

    private static func text(_ value: [UInt8]?, _ limit: Int, _ room: inout TextRoom) -> UnsafeRawBufferPointer? {
        guard let value else { return nil }
        let start = room.count
        value.withUnsafeBytes { room.append($0.prefix(characters: limit)) }
        return room.text(from: start)
    }
}
