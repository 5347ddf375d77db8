internal import StorageChannel

/// What a request to one of Sentry's routes says beside its body.
struct SentrySender {
    /// By which of Sentry's programs it was sent: `NAME/VERSION`, printable ASCII.
    let client: [UInt8]?
    /// The sender's clock when it sent, in microseconds since 1970.
    let sentAt: Int64?
    /// Of a browser's reports, which cannot say so themselves.
    let labels: ReportLabels

    static let none = SentrySender(client: nil, sentAt: nil, labels: ReportLabels())

    private init(client: [UInt8]?, sentAt: Int64?, labels: ReportLabels) {
        self.client = client
        self.sentAt = sentAt
        self.labels = labels
    }

    init(_ head: RequestHead, _ route: Route) {
        client = KeyExtraction.client(of: head)
        sentAt = KeyExtraction.sentAt(of: head)
        let query = route == .security ? head.query.map(SentryFields.init(query:)) : nil
        labels = ReportLabels(
            environment: query?["sentry_environment"].flatMap(FormText.text),
            release: query?["sentry_release"].flatMap(FormText.text))
    }
}

/// What the address of a policy's reports says of the page that they are about, as valid UTF-8 without U+0000.
package struct ReportLabels: Sendable {
    var environment: [UInt8]?
    var release: [UInt8]?

    package init() {}

    init(environment: [UInt8]?, release: [UInt8]?) {
        self.environment = environment
        self.release = release
    }
}
