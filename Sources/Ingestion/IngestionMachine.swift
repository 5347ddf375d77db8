package import Scoreboard
package import StorageChannel

/// The path of an event as a state machine without I/O. It is told of requests, of what Redis and storage answer and of
/// the time, and returns what to send and what to answer. Accept, Authenticate, Decode, Limit, Parse and Store are its
/// stages, in this order.
///
/// The loop around it calls a `receive` for each thing that happened and `endTurn` at the end of a turn, then carries
/// out `commands` and sends `toStorage`. It never blocks, and never traps on outside input.
package struct IngestionMachine: ~Copyable {
    /// What the loop is to do.
    package enum Command: Equatable, Sendable {
        /// Call the limit's script, and give its result to `receive(grant:for:)`.
        case count(LimitScript.Call)
        /// Answer the request that was received under this token; the machine forgets it.
        case answer(token: Int, Answer)
        /// Have the worker for large bodies answer the request; the machine forgets it.
        case handOn(token: Int, Dialect)
    }

    /// To be carried out in this order, then removed.
    package var commands: [Command] = []
    /// Frames to be sent to storage, while it is connected.
    package var toStorage = FrameQueue()
    /// Requests that may kill this process; the loop keeps them up to date.
    package var suspects = Suspects()
    /// The projects that have used most of their limits.
    package internal(set) var nearLimits = NearLimits()

    let options: Options
    let slot: ProcessSlot?
    var inFlight = InFlight()
    var authenticator = Authenticator()
    /// Submissions whose body was not handled.
    var turns = FairQueue<Submission>()
    var trials = Trials()
    var decoder: BodyDecoder
    var ledger = QuotaLedger()
    var encoder = EventEncoder()
    var storage = StorageExchange()

    /// - Parameter slot: where it says which request's body it is handling.
    package init(options: Options, slot: ProcessSlot? = nil) {
        self.options = options
        self.slot = slot
        decoder = BodyDecoder(options)
    }

    /// The requests that were received and not answered.
    package var requestsInHand: Int { inFlight.count }

    /// Projects whose bodies wait for their turn.
    package var projectsWaiting: Int { turns.projectCount }

    /// The bytes of all bodies and frames in flight.
    package var bytesInHand: Int { inFlight.bytes }

    // MARK: Accept

    /// A request has arrived whole.
    ///
    /// - Parameters:
    ///   - token: names the request in its answer.
    ///   - body: nil when there was none, or more than any route takes.
    ///   - isOversized: the body was longer than any route takes, and was read past.
    ///   - now: nanoseconds of the monotonic clock.
    ///   - wall: microseconds since 1970.
    package mutating func receive(
        _ head: RoutedHead, body: consuming Body?, isOversized: Bool = false, token: Int, now: Int64, wall: Int64
    ) {
        let target: Target
        do throws(RouteMiss) {
            target = try head.target.get()
        } catch {
            var answer = Answer.refused(error.refusal, in: error.dialect)
            answer.allow = error.allow?.description
            return commands.append(.answer(token: token, answer))
        }
        switch target.route {
        case .preflight: return commands.append(.answer(token: token, .preflight))
        case .health: return commands.append(.answer(token: token, .healthy))
        case .readiness, .event, .bulk, .envelope, .store, .security, .key: break
        }
        let isProbe = target.route == .readiness
        let submission = Submission(
            token: token, serial: inFlight.nextSerial(),
            head: AcceptedHead(head.head, target: target, takesAddress: options.takesSenderAddress, wall: wall),
            isProbe ? .probing : .identifying(body ?? Body(count: 0)), deadline: now + options.patience)
        if isProbe { return probe(submission, now: now) }
        accept(submission, isOversized: isOversized, now: now)
    }

    /// A message of a stream has arrived whole: one event, or an array of them. Its key is the one that `openStream` was
    /// told.
    ///
    /// - Parameters:
    ///   - firstID: the id of its first event, if that has none of its own; the others follow it.
    ///   - token, now, wall: as for a request.
    package mutating func receive(message: consuming Body, firstID: UInt128, token: Int, now: Int64, wall: Int64) {
        let head = AcceptedHead(
            route: message.isArray ? .bulk : .event, key: authenticator.stream?.key, requestID: firstID,
            receivedAt: wall)
        let submission = Submission(
            token: token, serial: inFlight.nextSerial(), head: head, .identifying(message),
            deadline: now + options.patience)
        accept(submission, isOversized: false, now: now)
    }

    private mutating func accept(_ submission: Submission, isOversized: Bool, now: Int64) {
        inFlight.admit(submission)
        guard !isOversized, submission.bytes <= submission.head.route.bodyLimit else {
            return refuse(submission, .payloadTooLarge)
        }
        authenticate(submission, now: now)
    }

    // MARK: Answers

    /// Time has passed: answers what has waited too long.
    ///
    /// - Returns: nanoseconds until the next call is due, nil when nothing is in flight.
    package mutating func tick(now: Int64) -> Int64? {
        giveUpProbes(until: now)
        beginTrial(now: now)
        let probe = storage.nextDeadline.map { $0 - now }
        while let submission = inFlight.oldest() {
            let left = submission.deadline - now
            guard left <= 0 else { return min(left, probe ?? left) }
            giveUp(submission)
        }
        return probe
    }

    private mutating func giveUp(_ submission: Submission) {
        var answer = Answer.refused(.unavailable, in: submission.head.route.dialect)
        answer.outcomes = .all(.discarded(.unavailable), count: max(submission.eventCount, 1))
        finish(submission, answer, retryAfter: submission.retryAfter)
    }

    /// All is known of the events of a submission.
    mutating func complete(_ submission: Submission, _ events: HandedEvents) {
        let head = submission.head
        if head.route.dialect == .sentry {
            let answer = Answer.sentry(events.outcomes, events.envelope, derivedID: head.requestID)
            return finish(submission, answer, retryAfter: events.retryAfter)
        }
        if head.route == .bulk { return finish(submission, .bulk(events.outcomes), retryAfter: events.retryAfter) }
        switch events.outcomes.first {
        case .accepted(let id): finish(submission, .accepted(id))
        case .refused(let refusal): finish(submission, .refused(refusal), retryAfter: events.retryAfter)
        case .pending, nil: refuse(submission, .unavailable)
        }
    }

    mutating func refuse(_ submission: Submission, _ refusal: Refusal) {
        finish(submission, .refused(refusal, in: submission.head.route.dialect))
    }

    /// - Parameter retryAfter: the seconds that storage named.
    mutating func finish(_ submission: Submission, _ answer: Answer, retryAfter: UInt32 = 0) {
        var answer = answer
        // nginx's question about a key carries no event.
        if submission.head.route == .key { answer.outcomes = .noEvents }
        answer.quota = submission.quota
        answer.route = submission.head.route.label
        switch answer.status {
        case 429: answer.retryAfter = max(retryAfter, submission.quota?.reset ?? 1)
        // Some Sentry SDKs stop sending everything for this long.
        case 503: answer.retryAfter = answer.dialect == .sentry ? 1 : max(retryAfter, 1)
        default: break
        }
        inFlight.remove(submission)
        commands.append(.answer(token: submission.token, answer))
    }

    mutating func handOn(_ submission: Submission) {
        inFlight.remove(submission)
        commands.append(.handOn(token: submission.token, submission.head.route.dialect))
    }
}
