/// What is decided about a column of table `events`, once: its record, the statement that stores it, how an event fills it, what
/// the command line shows and what the documents' tables say follow from this.
package struct EventColumn: Sendable {
    /// A type of PostgreSQL.
    package enum Kind: String, Sendable {
        case int8, uuid, timestamptz, date, text, jsonb, json

        package var isJSON: Bool { self == .json || self == .jsonb }
    }

    /// Where in an event a text may stand. What is neither a text nor a number is none, nor is a blank.
    package enum Source: Sendable {
        /// A field.
        case field(StaticString)
        /// A member of a field that is an object.
        case member(StaticString, of: StaticString)
        /// A tag.
        case tag(StaticString)
        /// The `type` of the last exception of which anything is said.
        case exceptionType
    }

    /// How an event of the native routes fills it.
    package enum Native: Sendable {
        /// By code of its own.
        case own
        /// From the field of the column's name, which must be a string; an event where it is another value is refused.
        case string
        /// As an event of Sentry's: what is not usable is no reason to refuse an event that was taken before the column was.
        case lenient
    }

    /// As in PostgreSQL, unquoted.
    package let name: StaticString
    package let kind: Kind
    /// The most characters (Unicode scalars) of a text that is not taken as it is; nil for no bound of its own.
    package let bound: Int?
    package let native: Native
    /// Where an event of Sentry's SDKs may have it, the first that is usable; none when code of its own finds it.
    package let sentry: [Source]
    /// Whether `mesher events list` and `tail` show it.
    package let isListed: Bool
    /// The version of the schema that brought it, see `Migration`.
    package let since: Int

    init(
        _ name: StaticString, _ kind: Kind = .text, bound: Int? = nil, native: Native = .own, sentry: [Source] = [],
        isListed: Bool = false, since: Int = 1
    ) {
        self.name = name
        self.kind = kind
        self.bound = bound
        self.native = native
        self.sentry = sentry
        self.isListed = isListed
        self.since = since
    }
}

extension EventRecord.Column {
    package var declaration: EventColumn {
        switch self {
        case .projectID: EventColumn("project_id", .int8)
        case .eventID: EventColumn("event_id", .uuid)
        case .receivedAt: EventColumn("received_at", .timestamptz)
        case .timestamp: EventColumn("timestamp", .timestamptz)
        case .receivedOn: EventColumn("received_on", .date)
        case .level: EventColumn("level", isListed: true)
        case .message: EventColumn("message", bound: 8_192, isListed: true)
        case .platform: EventColumn("platform", bound: 64, native: .string, sentry: [.field("platform")])
        case .environment:
            EventColumn(
                "environment", bound: 64, native: .string, sentry: [.field("environment"), .tag("environment")],
                isListed: true)
        case .release:
            EventColumn(
                "release", bound: 250, native: .string, sentry: [.field("release"), .tag("release")], isListed: true)
        case .serverName:
            EventColumn(
                "server_name", bound: 256, native: .string, sentry: [.field("server_name"), .tag("server_name")])
        case .logger: EventColumn("logger", bound: 64, native: .string, sentry: [.field("logger")])
        case .transaction:
            EventColumn(
                "transaction", bound: 200, native: .string, sentry: [.field("transaction"), .field("culprit")])
        case .sdkName: EventColumn("sdk_name", bound: 200, native: .string, sentry: [.member("name", of: "sdk")])
        case .sdkVersion:
            EventColumn("sdk_version", bound: 200, native: .string, sentry: [.member("version", of: "sdk")])
        case .tags: EventColumn("tags", .jsonb)
        case .payload: EventColumn("payload", .json)
        case .dist: EventColumn("dist", bound: 64, native: .lenient, sentry: [.field("dist")], since: 6)
        case .exceptionType:
            EventColumn("exception_type", bound: 256, native: .lenient, sentry: [.exceptionType], since: 6)
        case .userID:
            EventColumn(
                "user_id", bound: 128, native: .lenient,
                sentry: [.member("id", of: "user"), .member("email", of: "user"), .member("username", of: "user")],
                since: 6)
        }
    }
}
