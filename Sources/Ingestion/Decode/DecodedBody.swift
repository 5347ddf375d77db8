/// A body whose events were found.
struct DecodedBody: ~Copyable {
    private var body: Body
    private let ranges: [Range<Int>]
    /// What each event is; empty when all are Mesher's own.
    private let forms: [EventForm]
    /// What an envelope says about itself, for its answer.
    let envelope: EnvelopeSummary?

    /// - Parameter ranges: where the events are.
    init(_ body: consuming Body, _ ranges: [Range<Int>], as forms: [EventForm] = []) {
        self.body = body
        self.ranges = ranges
        self.forms = forms
        envelope = nil
    }

    /// One event.
    init(event body: consuming Body) {
        ranges = [0..<body.count]
        self.body = body
        forms = []
        envelope = nil
    }

    /// One event of a Sentry SDK, without an envelope.
    init(event body: consuming Body, of sender: SentrySender) {
        ranges = [0..<body.count]
        self.body = body
        forms = [.sentry(id: nil, sentAt: sender.sentAt, client: sender.client, address: sender.address)]
        envelope = nil
    }

    /// What is stored of an envelope.
    init(_ envelope: Envelope, of sender: SentrySender) {
        var body = Body(count: envelope.kept.count)
        body.withUnsafeMutableBytes { $0.copyBytes(from: envelope.kept) }
        self.body = body
        ranges = envelope.items.map(\.range)
        forms = envelope.items.map { envelope.form(of: $0, sender) }
        self.envelope = envelope.summary
    }

    /// Its bytes.
    var count: Int { body.count }

    var eventCount: Int { ranges.count }

    func form(_ position: Int) -> EventForm {
        position < forms.count ? forms[position] : .native
    }

    /// Lets `use` have the bytes of one event, which it may change.
    mutating func withEvent<Result, Failure>(
        _ position: Int, _ use: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let range = ranges[position]
        return try body.withUnsafeMutableBytes { (bytes) throws(Failure) in
            try use(UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
        }
    }
}
