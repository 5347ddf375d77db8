/// The events between standard input and their acknowledgements: those that wait to be sent, and those that were sent and
/// have no answer yet, each in order. A pure value; times are monotonic nanoseconds.
struct StreamQueue {
    struct Entry: Equatable {
        /// Of the input, from 1.
        let line: Int
        let event: [UInt8]
    }

    /// The outcome of the oldest event in flight.
    enum Verdict: Equatable {
        case accepted
        /// For good; the server's words.
        case refused(line: Int, error: String)
        /// It waits again, and so does all that was not sent yet.
        case again
        /// Nothing was in flight, or the answer is none.
        case nonsense
    }

    /// The most bytes of events that are held, apart from the last one.
    private static let byteLimit = 8 << 20

    /// The longest pause that a server may ask for, in seconds: a day.
    private static let longestPause = 86_400

    private let limit: Int
    private var waiting: ArraySlice<Entry> = []
    private var inFlight: ArraySlice<Entry> = []
    private var bytes = 0
    /// Until when nothing is sent, since the server asked for it.
    private(set) var pausedUntil: Int64 = 0

    /// - Parameter limit: the most events that are held.
    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { waiting.count + inFlight.count }
    var hasRoom: Bool { count < limit && bytes < Self.byteLimit }
    var hasWaiting: Bool { !waiting.isEmpty }

    mutating func add(_ entry: Entry) {
        waiting.append(entry)
        bytes += entry.event.count
    }

    /// The next event to send, which is in flight from now on; nil when there is none, or the server wants a pause.
    mutating func next(at now: Int64) -> [UInt8]? {
        guard now >= pausedUntil, let entry = waiting.popFirst() else { return nil }
        inFlight.append(entry)
        return entry.event
    }

    /// Takes an answer; they come in the order of the events.
    mutating func take(_ answer: String, at now: Int64) -> Verdict {
        guard let entry = inFlight.first else { return .nonsense }
        guard let answer = ServerAnswer(answer) else { return .nonsense }
        if answer.status == "accepted" {
            drop()
            return .accepted
        }
        guard let error = answer.error else { return .nonsense }
        guard answer.reason == "rate_limited" || answer.reason == "unavailable" else {
            drop()
            return .refused(line: entry.line, error: error)
        }
        let seconds = min(max(answer.retryAfter ?? 1, 0), Self.longestPause)
        pausedUntil = max(pausedUntil, now + Int64(seconds) * 1_000_000_000)
        inFlight = inFlight.dropFirst()
        // After those that were sent before it and must be resent too, before all that were never sent.
        let place = waiting.firstIndex { $0.line > entry.line } ?? waiting.endIndex
        waiting.insert(entry, at: place)
        return .again
    }

    /// The connection is gone: what was in flight may have arrived or not, and is resent.
    mutating func connectionLost() {
        waiting = inFlight + waiting
        waiting.sort { $0.line < $1.line }
        inFlight = []
    }

    private mutating func drop() {
        if let entry = inFlight.popFirst() { bytes -= entry.event.count }
    }
}
