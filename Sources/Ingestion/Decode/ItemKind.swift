/// The kind of an item, from its header's `type`.
enum ItemKind {
    case event
    /// User feedback, as an event of its own.
    case feedback
    /// A user's report on an event, in the older form.
    case userReport
    /// A client report: what the client itself dropped.
    case clientReport
    /// Everything that is only counted.
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

    /// Whether it is an event, of which an envelope has one.
    var isEvent: Bool { self == .event || self == .feedback }
}
