internal import Scoreboard
internal import StorageChannel

/// One request, from its acceptance to its answer.
final class Submission {
    /// What is known of one of its events.
    enum Event {
        /// Not granted yet, or handed to storage and not acknowledged.
        case pending
        case accepted(UInt128)
        case refused(Refusal)
    }

    /// Which request of the caller this is.
    let token: Int
    /// Increases with each request; part of the tickets of its events.
    let serial: UInt64
    let head: AcceptedHead
    /// When it is answered with 503 if nothing has come, in nanoseconds of the monotonic clock.
    let deadline: Int64
    private(set) var body: Body?
    /// The bytes it holds, counted against the worker's limit.
    private(set) var bytes: Int
    private(set) var ranges: [Range<Int>] = []
    /// What each event is; empty when all are Mesher's own.
    private(set) var forms: [EventForm] = []
    var events: [Event] = []
    /// What an envelope says about itself, for its answer.
    private(set) var envelope: EnvelopeSummary?
    /// The project that its body names.
    var claim = ProjectClaim.none
    /// What identifies its body.
    var mark = BodyMark()
    var quota: QuotaStatus?
    /// Handed to storage and not acknowledged; resent when storage was restarted.
    private(set) var frames: [UInt8] = []
    /// The ids of the events handed to storage, by position.
    var identifiers: [UInt128] = []
    var outstanding = 0
    /// The longest retry time that storage named, in seconds.
    var retryAfter: UInt32 = 0

    /// The bits of a ticket for an event's position, which bound the events of a submission.
    static let positionBits: UInt64 = 20

    init(token: Int, serial: UInt64, head: AcceptedHead, body: consuming Body?, deadline: Int64) {
        self.token = token
        self.serial = serial
        self.head = head
        self.deadline = deadline
        bytes = body?.count ?? 0
        self.body = consume body
    }

    var eventCount: Int { events.count }

    /// Whether it is one plain event, whose size is a good measure of its cost.
    private(set) lazy var isPlain = bytes <= ProcessorShare.plainBytes && head.isPlain

    func ticket(_ position: Int) -> UInt64 {
        serial << Self.positionBits | UInt64(truncatingIfNeeded: position)
    }

    static func parts(of ticket: UInt64) -> (serial: UInt64, position: Int) {
        (ticket >> positionBits, Int(ticket & ((1 << positionBits) - 1)))
    }

    func takeBody() -> Body? {
        body.take()
    }

    /// Puts the body back that was taken.
    func putBack(_ body: consuming Body) {
        self.body = consume body
    }

    /// Lets `use` look at the body as it was received; nil when there is none.
    @discardableResult
    func withBody<Result, Failure>(
        _ use: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        try body?.withUnsafeMutableBytes { (bytes) throws(Failure) in try use(UnsafeRawBufferPointer(bytes)) }
    }

    /// The body is decoded and its events are found.
    func decoded(
        _ body: consuming Body, _ ranges: [Range<Int>], as forms: [EventForm] = [], of envelope: EnvelopeSummary? = nil
    ) {
        bytes = body.count
        self.body = consume body
        self.ranges = ranges
        self.forms = forms
        self.envelope = envelope
        events = Array(repeating: .pending, count: ranges.count)
        identifiers = Array(repeating: 0, count: ranges.count)
    }

    /// The events were parsed; only their frames are still needed.
    func parsed(_ frames: [UInt8]) {
        body = nil
        bytes = frames.count
        self.frames = frames
    }

    /// It is answered: references to it no longer hold its bytes.
    func release() {
        body = nil
        frames = []
        bytes = 0
    }

    func form(_ position: Int) -> EventForm {
        position < forms.count ? forms[position] : .native
    }

    /// Lets `work` use the bytes of one event.
    func withEvent<Result, Failure>(
        _ position: Int, _ work: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        let range = ranges[position]
        return try body?.withUnsafeMutableBytes { (bytes) throws(Failure) in
            try work(UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
        }
    }
}
