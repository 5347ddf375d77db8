import CJSON

/// The address of an event's user, `user.ip_address`, where the program leaves it to whoever takes the event, as Sentry
/// fills it in.
enum UserAddress {
    /// What a program says of it, `sdk.settings.infer_ip`.
    private enum Wish {
        case always, never, unsaid
    }

    /// What makes the event one with its user's address; nil when it stays as it was sent.
    ///
    /// - Parameter sender: where it came from.
    static func edit(
        _ fields: EventFields, _ sender: IPAddress, _ json: borrowing JSONParser, _ room: inout TextRoom
    ) -> PayloadEdit? {
        let wish = wish(fields[.sdk], json)
        let user = fields.object(EventField.user.rawValue)
        guard wish != .never, user.kind == .object || !user.isPresent else { return nil }
        let claimed = json.member("ip_address", of: user)
        if isNone(claimed) {
            guard wish == .always || runsAtUser(fields[.platform]) else { return nil }
        } else {
            guard isAutomatic(claimed, &room) else { return nil }
        }
        let address = serverSide(fields.payload, json) ?? sender
        func text(_ before: StaticString, _ after: StaticString) -> UnsafeRawBufferPointer {
            let start = room.count
            room.append(before)
            address.text.withUnsafeBytes { room.append($0) }
            room.append(after)
            return room.text(from: start)
        }
        if claimed.kind != .absent { return PayloadEdit(of: fields.payload, replacing: claimed, by: text("\"", "\"")) }
        if user.kind == .object {
            return PayloadEdit(of: fields.payload, inserting: text("\"ip_address\":\"", "\""), into: user)
        }
        if fields[.user].kind == .null {
            return PayloadEdit(of: fields.payload, replacing: fields[.user], by: text("{\"ip_address\":\"", "\"}"))
        }
        return PayloadEdit(
            of: fields.payload, inserting: text("\"user\":{\"ip_address\":\"", "\"}"), into: fields.payload)
    }

    private static func wish(_ sdk: mesher_json_value, _ json: borrowing JSONParser) -> Wish {
        let wish = json.member("infer_ip", of: json.member("settings", of: sdk))
        guard wish.kind == .string else { return .unsaid }
        return wish.equals("never") ? .never : wish.equals("auto") ? .always : .unsaid
    }

    private static func isNone(_ claimed: mesher_json_value) -> Bool {
        !claimed.isPresent || claimed.kind == .string && claimed.bytes.trimmingWhiteSpace().isEmpty
    }

    private static func isAutomatic(_ claimed: mesher_json_value, _ room: inout TextRoom) -> Bool {
        guard claimed.kind == .string else { return false }
        let start = room.count
        defer { room.remove(from: start) }
        return room.content(of: claimed).trimmingWhiteSpace().equals("{{auto}}")
    }

    /// Whether programs of a platform run where their user is.
    private static func runsAtUser(_ platform: mesher_json_value) -> Bool {
        guard platform.kind == .string else { return false }
        return platform.equals("javascript") || platform.equals("cocoa") || platform.equals("objc")
    }

    /// The address of the client that a web server had when the event happened there.
    private static func serverSide(_ event: mesher_json_value, _ json: borrowing JSONParser) -> IPAddress? {
        var request = json.member("request", of: event)
        if request.kind != .object { request = json.member("sentry.interfaces.Http", of: event) }
        let address = json.member("REMOTE_ADDR", of: json.member("env", of: request))
        return address.kind == .string ? IPAddress(address.bytes) : nil
    }
}
