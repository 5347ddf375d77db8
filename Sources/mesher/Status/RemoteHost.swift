internal import System

/// Another host's operator's server, which serves `status.json`.
struct RemoteHost {
    /// Its state, or why it is unknown.
    typealias State = Result<StatusDocument, CommandError>

    /// Where the operator's server listens unless the name says it.
    private static let port = 9_464
    /// How long a host may take to answer, in seconds.
    private static let patience = 5

    /// As it was given: a name or address, with a port or without, or a URL.
    let name: String

    init(_ name: String) {
        self.name = name
    }

    var url: String {
        if name.contains("://") { return name.hasSuffix(".json") ? name : name + "/status.json" }
        let hasPort = name.last != "]" && name.contains(":")
        return "http://\(name)\(hasPort ? "" : ":\(Self.port)")/status.json"
    }

    /// Asks it.
    func state() -> State {
        do throws(CommandError) {
            let answer = try HTTPClient.open(url, headers: []).get(patience: Self.patience)
            guard answer.status == 200 else { throw CommandError(.unavailable, "\(url): \(answer.status)") }
            let document = try StatusDocument(answer.body, path: url)
            let age = Double(Clock.wall()) / 1e6 - document.writtenAt
            guard age < StatusDocument.staleAfter else {
                throw CommandError(
                    .unavailable, "not written for \(StatusReport.whole(age)) s: no watchdog runs there")
            }
            return .success(document)
        } catch {
            return .failure(error)
        }
    }
}
