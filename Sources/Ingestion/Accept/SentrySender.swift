internal import StorageChannel

/// What a request to a Sentry route says besides its body.
struct SentrySender {
    /// The SDK that sent it: `NAME/VERSION`, printable ASCII.
    let client: [UInt8]?
    /// The sender's clock when it sent, in microseconds since 1970.
    let sentAt: Int64?
    /// The sender's address; nil where it is not to be stored.
    let address: IPAddress?
    /// For a browser's reports, which cannot say so themselves.
    let labels: ReportLabels

    /// It says nothing.
    static let silent = SentrySender(client: nil, sentAt: nil, address: nil, labels: ReportLabels())

    private init(client: [UInt8]?, sentAt: Int64?, address: IPAddress?, labels: ReportLabels) {
        self.client = client
        self.sentAt = sentAt
        self.address = address
        self.labels = labels
    }

    /// - Parameter takesAddress: whether the operator wants the sender's address.
    init(_ head: RequestHead, _ route: Route, takesAddress: Bool) {
        client = KeyExtraction.client(of: head)
        sentAt = KeyExtraction.sentAt(of: head)
        address = takesAddress ? head.remoteAddress.flatMap(IPAddress.init) : nil
        let query = route == .security ? head.query.map(SentryFields.init(query:)) : nil
        labels = ReportLabels(
            environment: query?["sentry_environment"].flatMap(FormText.text),
            release: query?["sentry_release"].flatMap(FormText.text), address: address)
    }
}

/// What the request of a browser's report says about the page: the texts of its URL, as valid UTF-8 without U+0000, and
/// where the page is.
package struct ReportLabels: Sendable {
    var environment: [UInt8]?
    var release: [UInt8]?
    var address: IPAddress?

    package init() {}

    init(environment: [UInt8]?, release: [UInt8]?, address: IPAddress?) {
        self.environment = environment
        self.release = release
        self.address = address
    }
}
