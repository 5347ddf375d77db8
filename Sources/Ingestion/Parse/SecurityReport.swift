import CJSON
import StorageChannel

/// A browser's report of what a Content-Security-Policy blocked (CSP 3, section 5), in either of its spellings.
struct SecurityReport {
    private var effectiveDirective = mesher_json_value()
    private var violatedDirective = mesher_json_value()
    private var blocked = mesher_json_value()

    /// Fills the columns in. Throws `unsupportedItem` when it is a report of something else.
    static func fill(
        _ columns: inout EventColumns, from fields: EventFields, _ labels: ReportLabels,
        _ json: borrowing JSONParser, _ room: inout TextRoom
    ) throws(Refusal) {
        var body = json.member("csp-report", of: fields.payload)
        if body.kind != .object {
            guard fields[.type].kind == .string, fields[.type].equals("csp-violation") else {
                throw Refusal(.unsupportedItem, "unsupported item: not a report of a content security policy")
            }
            body = json.member("body", of: fields.payload)
            // Milliseconds.
            let age = json.member("age", of: fields.payload)
            if age.kind == .number, let thousandfold = try? Timestamp.seconds(age.bytes), thousandfold > 0 {
                columns.setTimestamp(max(columns.receivedAt - thousandfold / 1_000, Timestamp.range.lowerBound))
            }
        }
        // Comes first, while there is room for it.
        labels.fill(&columns, fields.payload, &room)
        let report = SecurityReport(body, json)
        columns[.tags] = SentryTags.object(
            [("effective-directive", report.directive), ("blocked-uri", report.blocked)], &room)
        columns[.level] = StaticString("error").bytes
        columns[.logger] = StaticString("csp").bytes
        columns[.message] = report.message(&room).prefix(characters: TextLimit.message)
    }

    private init(_ body: mesher_json_value, _ json: borrowing JSONParser) {
        for (name, value) in json.members(of: body) where name.kind == .string && value.kind == .string {
            if name.equals("effective-directive") || name.equals("effectiveDirective") { effectiveDirective = value }
            if name.equals("violated-directive") || name.equals("violatedDirective") { violatedDirective = value }
            if name.equals("blocked-uri") || name.equals("blockedURL") { blocked = value }
        }
    }

    /// Older browsers name only the violated directive, followed by what it allows.
    private var directive: mesher_json_value {
        var directive = effectiveDirective.isText ? effectiveDirective : violatedDirective
        directive.count = UInt32(directive.bytes.prefix { $0 != UInt8(ascii: " ") }.count)
        return directive
    }

    /// `Blocked 'script-src' from 'cdn.example.com'`, or `Blocked inline 'script-src'`.
    private func message(_ room: inout TextRoom) -> UnsafeRawBufferPointer {
        let directive = room.content(of: directive)
        let address = room.content(of: blocked)
        let start = room.count
        room.append("Blocked ")
        let isCode = address.equals("inline") || address.equals("eval") || address.equals("wasm-eval")
        if isCode {
            room.append(address)
            room.append(" ")
        }
        room.append("'")
        room.append(directive.isEmpty ? StaticString("unknown directive").bytes : directive)
        room.append("'")
        if !isCode {
            room.append(" from '")
            room.append(address.isEmpty ? StaticString("self").bytes : Self.host(of: address))
            room.append("'")
        }
        return room.text(from: start)
    }

    /// The host of a URL with its port; of one without a host the scheme; of anything else the whole.
    private static func host(of address: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let colon = address.firstIndex(of: UInt8(ascii: ":")) else { return address }
        guard address.starts(at: colon, with: "://") else { return UnsafeRawBufferPointer(rebasing: address[...colon]) }
        var host = address[(colon + 3)...].prefix {
            $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        if let at = host.lastIndex(of: UInt8(ascii: "@")) { host = host[(at + 1)...] }
        return UnsafeRawBufferPointer(rebasing: host)
    }
}
