/// Where a client sends and with which key: `http://KEY@host[:port][/path]/ID`, the form that Sentry's tools take.
struct DSN: Equatable, CustomStringConvertible {
    /// `http` or `https`.
    let scheme: String
    /// Host, port and path, without a slash at the end.
    let place: String
    let key: String
    let project: Int64

    /// The DSN of a project below a public URL.
    ///
    /// - Parameter publicURL: `http://host` or `https://host`, with port and path if need be.
    /// - Throws: `CommandError` when it is anything else.
    init(publicURL: String, key: String, project: Int64) throws(CommandError) {
        guard let (scheme, place) = Self.split(publicURL), !place.contains("@") else {
            throw CommandError(
                .configuration, "MESHER_PUBLIC_URL=\(publicURL): must be http://HOST[:PORT] or https://HOST[:PORT]")
        }
        self.scheme = scheme
        self.place = place
        self.key = key
        self.project = project
    }

    /// Reads a DSN; nil when it is none. A secret after the key (`KEY:SECRET@`), as old tools write it, is dropped.
    init?(_ text: String) {
        guard let (scheme, rest) = Self.split(text), let at = rest.firstIndex(of: "@") else { return nil }
        let place = rest[rest.index(after: at)...]
        guard let key = APIKey.normalized(String(rest[..<at].prefix { $0 != ":" })),
            let slash = place.lastIndex(of: "/"), slash > place.startIndex,
            let project = Int64(place[place.index(after: slash)...]), project > 0
        else { return nil }
        self.scheme = scheme
        self.place = String(place[..<slash])
        self.key = key
        self.project = project
    }

    var description: String {
        "\(scheme)://\(key)@\(place)/\(project)"
    }

    /// Where a single event is posted.
    var eventsURL: String {
        "\(scheme)://\(place)/api/v1/events"
    }

    /// Where else events are posted.
    func url(of route: SendCommand.Route) -> String {
        switch route {
        case .events: eventsURL
        case .bulk: eventsURL + "/bulk"
        case .store, .envelope, .security: "\(scheme)://\(place)/api/\(project)/\(route.rawValue)/"
        }
    }

    /// Where browsers report what a Content-Security-Policy blocked: the value of its `report-uri`.
    var securityURL: String {
        "\(scheme)://\(place)/api/\(project)/security/?sentry_key=\(key)"
    }

    private static func split(_ url: String) -> (scheme: String, place: String)? {
        for scheme in ["http", "https"] where url.lowercased().hasPrefix(scheme + "://") {
            var place = url.dropFirst(scheme.count + 3)
            while place.last == "/" { place = place.dropLast() }
            let isPlain = place.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
            }
            return place.isEmpty || !isPlain ? nil : (scheme, String(place))
        }
        return nil
    }
}
