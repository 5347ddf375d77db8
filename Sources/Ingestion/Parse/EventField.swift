internal import CJSON
internal import StorageChannel

/// A field of an event that is looked at by code of its own.
enum EventField: Int, CaseIterable {
    case eventID, timestamp, level, message, platform, fingerprint, exception, stacktrace, breadcrumbs, tags, extra,
        user
    case userContext, type, logentry, sdk, contexts
    // Names from before: of `logentry`, `exception` and `user`.
    case messageInterface, exceptionInterface, userInterface

    var name: StaticString {
        switch self {
        case .eventID: "event_id"
        case .timestamp: "timestamp"
        case .level: "level"
        case .message: "message"
        case .platform: "platform"
        case .fingerprint: "fingerprint"
        case .exception: "exception"
        case .stacktrace: "stacktrace"
        case .breadcrumbs: "breadcrumbs"
        case .tags: "tags"
        case .extra: "extra"
        case .user: "user"
        case .userContext: "user_context"
        case .type: "type"
        case .logentry: "logentry"
        case .sdk: "sdk"
        case .contexts: "contexts"
        case .messageInterface: "sentry.interfaces.Message"
        case .exceptionInterface: "sentry.interfaces.Exception"
        case .userInterface: "sentry.interfaces.User"
        }
    }
}

/// The fields of an event by number, so that no name is looked up while one passes: first those of `EventField`, then what
/// columns are declared to be filled from. They are views that hold as long as the parser's.
struct EventFields {
    /// The names of all, by number.
    static let names: [StaticString] = {
        var names = EventField.allCases.map(\.name)
        for column in EventRecord.Column.allCases.map(\.declaration) {
            for name in column.fields where !names.contains(where: { "\($0)" == "\(name)" }) { names.append(name) }
        }
        return names
    }()

    private let values: UnsafePointer<mesher_json_value>?
    /// The whole event.
    let payload: mesher_json_value

    init(_ event: mesher_json_event) {
        values = event.fields
        payload = event.payload
    }

    subscript(_ field: EventField) -> mesher_json_value { self[field.rawValue] }

    /// The same of a field that is an object, which may have the name from before.
    func object(_ number: Int) -> mesher_json_value {
        let field = self[number]
        return field.isPresent || number != EventField.user.rawValue ? field : self[.userInterface]
    }

    /// The field of a number that `number(of:)` gave.
    subscript(_ number: Int) -> mesher_json_value { values?[number] ?? mesher_json_value() }

    /// The number of a name; nil when none of the fields has it.
    static func number(of name: StaticString) -> Int? {
        names.firstIndex { "\($0)" == "\(name)" }
    }
}

extension EventColumn {
    /// The names of the fields that it is filled from, or is to be found in.
    fileprivate var fields: [StaticString] {
        let own = if case .string = native { [name] } else { [StaticString]() }
        return own
            + sentry.compactMap { source in
                switch source {
                case .field(let name): name
                case .member(_, of: let object): object
                case .tag, .exceptionType: nil
                }
            }
    }
}
