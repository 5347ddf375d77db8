/// Whether browsers let a page of another origin send, judged by the headers of a preflight and of an answer as nginx
/// passes them on.
enum CrossOriginCheck {
    /// What a page's request has.
    static let headers = ["Origin: https://mesher-check.invalid"]
    /// The headers that SDKs in a page send.
    static let sent = ["content-type", "authorization", "x-sentry-auth"]
    private static let origin = "access-control-allow-origin"

    /// A pure value of what was answered.
    ///
    /// - Parameters:
    ///   - preflights: answers to OPTIONS, each with its head.
    ///   - answers: answers to POST, each with its head.
    static func finding(preflights: [String], answers: [String]) -> Finding {
        for (name, texts) in [("a preflight", preflights), ("a POST", answers)] {
            for text in texts {
                let origins = values(of: origin, in: text)
                if origins.count != 1 {
                    let count = origins.isEmpty ? "no" : "\(origins.count) times"
                    return fault("\(name) is answered with \(count) Access-Control-Allow-Origin")
                }
                if origins[0] != "*", origins[0] != "https://mesher-check.invalid" {
                    return fault("\(name) is answered with Access-Control-Allow-Origin \(origins[0])")
                }
            }
        }
        for text in preflights {
            guard lists(of: "access-control-allow-methods", in: text).contains("post") else {
                return fault("a preflight is answered without POST in Access-Control-Allow-Methods")
            }
            let allowed = lists(of: "access-control-allow-headers", in: text)
            if let missing = sent.first(where: { !allowed.contains($0) }) {
                return fault("a preflight is answered without \(missing) in Access-Control-Allow-Headers")
            }
        }
        return .good("nginx", "browsers may send from every origin that the project allows")
    }

    private static func fault(_ text: String) -> Finding {
        .fault(
            "nginx", "\(text): browsers reject that",
            advice:
                "remove your add_header, more_set_headers or Lua that changes Mesher's answers; Mesher's files need none"
        )
    }

    /// The values of a header in all heads of a text, in small letters.
    private static func values(of name: String, in text: String) -> [Substring] {
        // Lines of the body hold no header's name at their beginning.
        text.lowercased().split(whereSeparator: \.isNewline).filter { $0.hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).drop { $0 == " " } }
    }

    private static func lists(of name: String, in text: String) -> Set<String> {
        Set(values(of: name, in: text).flatMap { $0.split(separator: ",").map { $0.filter { $0 != " " } } })
    }
}
