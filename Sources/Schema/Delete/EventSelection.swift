/// Which events of a project are to be deleted, as a condition of SQL: the same for the rows of `events` and for what waits
/// on disk.
package struct EventSelection: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        case all
        /// A user's, by the id in `user_id`.
        case user(String)
        /// A user's, by the e-mail address in the payload.
        case email(String)
        /// One, by 32 hex digits.
        case event(String)
    }

    package let project: Int64
    package let subject: Subject
    /// Only what was received before, in microseconds since 1970.
    package let before: Int64?

    package init(project: Int64, _ subject: Subject = .all, before: Int64? = nil) {
        self.project = project
        self.subject = subject
        self.before = before
    }

    /// What was asked for, without what a log must not have: whose events they are.
    package var summary: String {
        let kind =
            switch subject {
            case .all: before == nil ? "all events" : "events"
            case .user: "events of one user id"
            case .email: "events of one e-mail address"
            case .event: "one event"
            }
        return kind + (before == nil ? "" : " received before a time")
    }

    /// The most characters that `user_id` keeps.
    package static let longestUserID = 128
}

extension EventSelection {
    /// Asks which of some events that are in no table are selected, by what they are: returns their positions, from 0. The
    /// parameters are `waitingParameters`.
    package var waitingStatement: String {
        """
        SELECT n - 1 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::json[])
            WITH ORDINALITY AS e(event_id, logger, user_id, payload, n)
        WHERE \(condition(parameter: 5))
        """
    }

    /// - Parameter arrays: ids, loggers, user ids and payloads, each an array's text.
    package func waitingParameters(_ arrays: [String]) -> [String?] { arrays + [parameter] }

    /// A condition on the columns `event_id`, `logger`, `user_id` and `payload`, with one parameter.
    ///
    /// - Parameter number: of the parameter.
    func condition(parameter number: Int) -> String {
        let value = "$\(number)::text"
        switch subject {
        case .all: return "\(value) IS NULL"
        case .event: return "event_id = \(value)::uuid"
        case .user:
            // An older release did not fill the column in.
            return """
                (user_id = \(value) OR user_id IS NULL AND \(Self.mayHold("payload::text", value))
                AND \(Self.firstText(of: ["id", "email", "username"])) = \(value))
                """
        case .email:
            let wanted = Self.folded(value)
            let places = Self.addresses.map { "\(Self.folded(Self.trimmed($0))) = \(wanted)" }
            return "(\(Self.mayHold(Self.folded("payload::text"), wanted)) AND (\(places.joined(separator: " OR "))))"
        }
    }

    var parameter: String? {
        switch subject {
        case .all: nil
        case .user(let text), .email(let text), .event(let text): text
        }
    }

    /// Where a payload may have the address of the user: native events, events of Sentry's SDKs of any age, feedback.
    private static let addresses = [
        "payload #>> '{user,email}'", "payload #>> '{user_context,email}'",
        "payload #>> '{sentry.interfaces.User,email}'", "payload #>> '{contexts,feedback,contact_email}'",
        "(CASE WHEN logger = 'user_report' THEN payload ->> 'email' END)",
    ]

    /// The object that the column `user_id` is filled from: `user`, or what it was called before.
    private static let user = """
        coalesce(CASE json_typeof(payload -> 'user') WHEN 'null' THEN NULL ELSE payload -> 'user' END, \
        payload -> 'sentry.interfaces.User')
        """

    /// Whether a value may stand in a JSON text, which is much quicker to find out than by parsing it. With a backslash it may
    /// be written in any way.
    private static func mayHold(_ text: String, _ value: String) -> String {
        #"(strpos(\#(text), \#(value)) > 0 OR strpos(payload::text, '\') > 0)"#
    }

    /// The first of these members that is not blank, as the column `user_id` has it.
    private static func firstText(of members: [String]) -> String {
        let texts = members.map { "left(nullif(\(trimmed("\(user) ->> '\($0)'")), ''), \(longestUserID))" }
        return "coalesce(\(texts.joined(separator: ", ")))"
    }

    private static func trimmed(_ text: String) -> String { #"btrim(\#(text), E' \t\r\n')"# }

    /// ASCII letters in lower case, whatever the database's locale.
    private static func folded(_ text: String) -> String { "lower(\(text) COLLATE \"C\")" }
}
