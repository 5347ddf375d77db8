internal import Configuration

/// nginx, by the way that clients go: whether Mesher answers at the public URL, and the largest bodies get through.
///
/// A single event without a key is refused as such only by a worker, after nginx has let the whole body pass. It shows in the
/// metrics as one discarded for `unauthorized`. Of larger ones nginx looks at the length, and asks for the key.
struct HTTPCheck {
    /// A route of the contract, the largest body that it takes, in bytes, and what stands before the JSON in it: in an
    /// envelope the head, and that of an item without an end.
    private static let routes = [
        ("/api/v1/events", 1 << 20, ""), ("/api/v1/events/bulk", 5 << 20, ""),
        // nginx takes more of an envelope that shows a key; this is none, which is known without asking storage.
        ("/api/1/envelope/?sentry_key=check", 20 << 20, "{}\n{}\n"),
    ]

    private let settings: Settings

    private let authorities: String?

    /// - Parameter authorities: a file of certificates instead of the system's.
    init(_ settings: Settings, authorities: String? = nil) {
        self.settings = settings
        self.authorities = authorities
    }

    func findings() -> [Finding] {
        var heads: [String] = []
        let routes = Self.routes.map { path, size, head in check(path, size, after: head, &heads) }
        // An answer that does not come from Mesher says nothing about it.
        let head = healthHead()
        let others = [head.flatMap(Self.limits), head.flatMap(fronts)].compactMap(\.self)
        guard heads.count == routes.count else { return routes + others }
        let preflights = Self.routes.compactMap { path, _, _ in preflight(path) }
        let browsers = CrossOriginCheck.finding(preflights: preflights, answers: heads)
        return routes + [browsers] + others
    }

    /// What a browser asks before it sends; nil when there is no answer.
    private func preflight(_ path: String) -> String? {
        let headers =
            CrossOriginCheck.headers + [
                "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: \(CrossOriginCheck.sent.joined(separator: ","))",
            ]
        guard let place = try? DSN(publicURL: settings.text(.publicURL), key: "", project: 1),
            let client = try? HTTPClient.open(
                "\(place.scheme)://\(place.place)\(path)", headers: headers, authorities: authorities)
        else { return nil }
        return try? client.options().body
    }

    /// - Parameter heads: what the answer begins with is appended, when it is Mesher's.
    private func check(_ path: String, _ size: Int, after head: String, _ heads: inout [String]) -> Finding {
        let subject = "nginx"
        do throws(CommandError) {
            let place = try DSN(publicURL: settings.text(.publicURL), key: "", project: 1)
            let url = "\(place.scheme)://\(place.place)\(path)"
            let client = try HTTPClient.open(
                url, headers: CrossOriginCheck.headers + ["Content-Type: application/json"], authorities: authorities)
            try client.includeHeads()
            let answer = try client.post(Self.body(size, after: head))
            let said = answer.body.split(separator: "\r\n\r\n").last.flatMap { ServerAnswer(String($0)) }
            let reason = said?.reason ?? said?.detail
            let text = "\(url): \(answer.status)\(reason.map { " \($0)" } ?? "")"
            guard let advice = Self.advice(status: answer.status, reason: reason, size: size) else {
                heads.append(answer.body)
                return .good(subject, "\(path.prefix { $0 != "?" }) takes \(size >> 20) MiB")
            }
            return .fault(subject, text, advice: advice)
        } catch {
            if error.description.contains("certificate") || error.description.contains("SSL") {
                let advice = "see nginx's ssl_certificate"
                return .fault(subject, "\(settings.text(.publicURL))\(path): \(error)", advice: advice)
            }
            let advice =
                "start nginx, or set MESHER_PUBLIC_URL (now from: \(settings.origin(.publicURL))) "
                + "to the URL at which clients reach it"
            return .fault(subject, "\(settings.text(.publicURL))\(path): \(error)", advice: advice)
        }
    }

    /// What nginx says of itself, in the head of an answer; nil when there is none.
    private func healthHead() -> String? {
        guard let place = try? DSN(publicURL: settings.text(.publicURL), key: "", project: 1),
            let client = try? HTTPClient.open(
                "\(place.scheme)://\(place.place)/healthz", headers: [], authorities: authorities),
            let answer = try? client.head()
        else { return nil }
        return answer.body
    }

    private static func value(of name: String, in head: String) -> Substring? {
        let line = head.lowercased().split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + ":") }
        return line?.dropFirst(name.count + 1).drop { $0 == " " }
    }

    /// Whose ids and times of receipt are believed, as the file of this host says it; nil when nginx does not speak of it.
    private func fronts(head: String) -> Finding? {
        let path = "/etc/nginx/mesher-fronts.conf"
        let file = (try? SentFile.read(path)).map { String(decoding: $0, as: UTF8.self) }
        return Self.fronts(head: head, file: file, path: path)
    }

    /// - Parameter file: what nginx reads at each of its reloads; nil when it cannot be read here.
    static func fronts(head: String, file: String?, path: String) -> Finding? {
        guard let way = value(of: "mesher-front", in: head) else { return nil }
        let lines = (file ?? "").split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }
        let peers = lines.filter { !$0.hasPrefix("#") && $0.contains(" yes;") }.compactMap {
            $0.split(separator: " ").first
        }
        let list = peers.isEmpty ? "nobody" : peers.joined(separator: ", ")
        let this = way == "yes" ? "this check came through one of them" : "this check came through none"
        if way == "yes", peers.isEmpty {
            return .good("nginx", "this check came through a trusted front; \(path) is not on this host")
        }
        return .good("nginx", "request ids and times are trusted from \(list) (\(path)); \(this)")
    }

    /// Whether limits that are not Mesher's hold for its locations, as nginx itself says; nil when it does not.
    static func limits(head: String) -> Finding? {
        switch value(of: "mesher-other-limits", in: head) {
        case "yes": return .good("nginx", "the limits of /etc/nginx/mesher-limits.conf apply, and Mesher's own")
        case "no": return .good("nginx", "no limit_req or limit_conn of yours applies, only Mesher's own limits")
        default: return nil
        }
    }

    /// What to do after an answer; nil when it is the one that is expected.
    static func advice(status: Int, reason: String?, size: Int) -> String? {
        switch (status, reason) {
        case (401, "unauthorized"), (403, "the key is unknown or revoked"): nil
        case (413, _), (_, "payload_too_large"):
            "set client_max_body_size to \(size >> 20)m here, as nginx/mesher-server.conf does"
        case (502, _), (503, _), (504, _):
            "nginx answers, but no worker does: see the findings about the service; if there are none, let nginx's user access its "
                + "sockets"
        default:
            "something other than Mesher answers: include nginx/mesher-server.conf in the server that clients reach"
        }
    }

    /// JSON behind a head, exactly so many bytes.
    private static func body(_ size: Int, after head: String) -> String {
        let start = head + #"{"message":""#
        let end = #""}"#
        return start + String(repeating: "x", count: size - start.utf8.count - end.utf8.count) + end
    }
}
