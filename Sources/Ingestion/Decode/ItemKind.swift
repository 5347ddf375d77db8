/// What an item is, by its header's `type`.
enum ItemKind {
    case event
    /// What a user says, in an event of its own.
    case feedback
    /// What a user says about an event, in the older form.
    case userReport
    /// What the client itself dropped.
    case clientReport
    /// All that is only counted.
    case other

    init(_ name: UnsafeRawBufferPointer) {
        if name.equals("event") {
            self = .event
        } else if name.equals("feedback") {
            self = .feedback
        } else if name.equals("user_report") {
            self = .userReport
        } else if name.equals("client_report") {
            self = .clientReport
        } else {
            self = .other
        }
    }

    /// Whether it is an event: of these an envelope has one.
    var isEvent: Bool { self == .event || self == .feedback }
}
