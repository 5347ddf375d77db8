/// The form of an event, which decides how it is checked.
package enum EventForm: Sendable {
    /// An event of Mesher's own routes: refused when a field is not as the contract says.
    case native
    /// An event or feedback of a Sentry SDK: accepted whatever its fields are; the columns are derived from what is
    /// usable.
    ///
    /// - Parameters:
    ///   - id: The envelope's id, which comes before the event's own.
    ///   - sentAt: The sender's clock when the envelope left it, in microseconds since 1970.
    ///   - client: `NAME/VERSION` of the program that sent it, printable ASCII, for an event that does not say so.
    ///   - address: Where it came from, for an event that leaves it to its receiver; nil where that is not to be stored.
    case sentry(id: UInt128?, sentAt: Int64?, client: [UInt8]? = nil, address: IPAddress? = nil)
    /// What a user wrote about an event, the item `user_report`.
    case userReport
    /// A browser's report of what a Content-Security-Policy blocked: `{"csp-report":{…}}`, or one element of the
    /// Reporting API's array.
    case securityReport(ReportLabels)
}
