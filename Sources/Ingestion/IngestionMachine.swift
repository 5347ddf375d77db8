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
    package var toStorage = FrameWriter()
    /// Why Redis does not answer; nil while it does.
    var redisFailure: String?
    /// Its eviction policy, if it evicts counters.
    var redisEviction: String?
    /// Requests that may kill this process; the loop keeps them up to date.
    package var suspects = Suspects()
    /// The bytes of all bodies and frames in flight.
    package private(set) var bytesInHand = 0

    let options: Options
    let slot: ProcessSlot?
    var submissions: [UInt64: Submission] = [:]
    var lastSerial: UInt64 = 0
    /// The lowest serial that may still be in flight. Deadlines are in the order of serials, except those of `probes`.
    var oldestSerial: UInt64 = 1
    /// Readiness checks that storage has not answered, with the time at which the answer is no.
    var probes: [(serial: UInt64, deadline: Int64)] = []
    var keys = KeyCache()
    var streamKey: StreamKey?
    var waitingForKey: [KeyID: [Submission]] = [:]
    /// Submissions whose key is known and whose body was not handled.
    var waiting = FairQueue<(Submission, ProjectQuota?)>()
    /// Requests under suspicion that wait until they are the only ones.
    var suspected: [(submission: Submission, quota: ProjectQuota)] = []
    /// The serial of the one under suspicion that is being tried.
    var trial: UInt64?
    var ledger = QuotaLedger()
    var decoder: Decoder
    var scanner = EnvelopeScanner()
    private var parser = EventParser()
    private var encoded = FrameWriter()
    var isStorageConnected = false

    /// - Parameter slot: where it says which request's body it is handling.
    package init(options: Options, slot: ProcessSlot? = nil) {
        self.options = options
        self.slot = slot
        decoder = Decoder(options.decoderBounds)
    }

    /// The memory of all frames that wait for storage's answer, in bytes.
    var frameCapacityInHand: Int { submissions.values.reduce(0) { $0 + $1.frames.capacity } }

    /// The requests that were received and not answered.
    package var requestsInHand: Int { submissions.count }

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
        _ head: RequestHead, body: consuming Body?, isOversized: Bool = false, token: Int, now: Int64, wall: Int64
    ) {
        let target: Target
        do throws(RouteMiss) {
            target = try Target.find(head)
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
        let size = body?.count ?? 0
        lastSerial += 1
        let submission = Submission(
            token: token, serial: lastSerial,
            head: AcceptedHead(head, target: target, takesAddress: options.takesSenderAddress, wall: wall), body: body,
            deadline: now + options.patience)
        if target.route == .readiness { return probe(submission, now: now) }
        admit(submission)
        guard !isOversized, size <= target.route.bodyLimit else { return refuse(submission, .payloadTooLarge) }
        authenticate(submission, now: now)
    }

    /// A message of a stream has arrived whole: one event, or an array of them. Its key is the one that `openStream` was
    /// told.
    ///
    /// - Parameters:
    ///   - firstID: the id of its first event, if that has none of its own; the others follow it.
    ///   - token, now, wall: as for a request.
    package mutating func receive(message: consuming Body, firstID: UInt128, token: Int, now: Int64, wall: Int64) {
        lastSerial += 1
        let head = AcceptedHead(
            route: message.isArray ? .bulk : .event, key: streamKey?.key, requestID: firstID, receivedAt: wall)
        let submission = Submission(
            token: token, serial: lastSerial, head: head, body: message, deadline: now + options.patience)
        admit(submission)
        guard submission.bytes <= head.route.bodyLimit else { return refuse(submission, .payloadTooLarge) }
        authenticate(submission, now: now)
    }

    private mutating func probe(_ submission: Submission, now: Int64) {
        guard isStorageConnected else {
            return commands.append(.answer(token: submission.token, .readiness(false, degraded: degraded([]))))
        }
        admit(submission)
        probes.append((submission.serial, now + options.probePatience))
        toStorage.probe(submission.ticket(0))
    }

    // MARK: Decode

    mutating func prepare(_ submission: Submission, _ quota: ProjectQuota, now: Int64) {
        submission.quota = nil
        if let left = ledger.exhaustion(of: quota.project, now: now) {
            submission.quota = QuotaStatus(
                quota, remaining: 0, milliseconds: UInt32(clamping: (left + 999_999) / 1_000_000))
            // The limit does not apply to what an envelope holds besides events.
            if submission.head.format != .envelope { return refuse(submission, .rateLimited) }
        }
        guard mayExecute(submission, quota) else { return }
        slot?.beginExecuting(submission.head.requestID, submission.mark)
        defer { slot?.finishExecuting() }
        #if DEBUG
            submission.withBody(InjectedFault.act)
        #endif
        let received = submission.bytes
        do throws(Refusal) {
            try decode(submission)
        } catch {
            return options.handsOnLarge && error == .tooCostly ? handOn(submission) : refuse(submission, error)
        }
        bytesInHand += submission.bytes - received
        if submission.eventCount == 0 { return complete(submission) }
        if submission.quota != nil { return refuse(submission, .rateLimited) }
        ledger.gather(submission, quota)
    }

    // MARK: Parse

    mutating func parse(_ submission: Submission, _ quota: ProjectQuota, granted: Int, isCounted: Bool) {
        slot?.beginExecuting(submission.head.requestID, submission.mark)
        defer { slot?.finishExecuting() }
        encoded.removeAll()
        var flags: StoreFlags = isCounted ? .counted : []
        if submission.head.route == .bulk || submission.bytes > Limits.smallBytes { flags.insert(.bulk) }
        for position in 0..<submission.eventCount {
            guard position < granted else {
                submission.events[position] = .refused(.rateLimited)
                continue
            }
            do throws(Refusal) {
                let id = try submission.withEvent(position) { (bytes) throws(Refusal) in
                    try parser.parse(
                        bytes, as: submission.form(position), project: quota.project,
                        derivedID: submission.head.requestID &+ UInt128(position),
                        receivedAt: submission.head.receivedAt, ticket: submission.ticket(position),
                        flags: flags, into: &encoded)
                }
                submission.identifiers[position] = id ?? 0
                submission.outstanding += 1
            } catch {
                submission.events[position] = .refused(error)
            }
        }
        bytesInHand -= submission.bytes
        // A copy: a shared buffer would be as large as the largest event so far.
        submission.parsed(Array(encoded.bytes[...]))
        bytesInHand += submission.bytes
        if submission.outstanding == 0 { return complete(submission) }
        if isStorageConnected { toStorage.append(submission.frames) }
    }

    // MARK: Answers

    /// Time has passed: answers what has waited too long.
    ///
    /// - Returns: nanoseconds until the next call is due, nil when nothing is in flight.
    package mutating func tick(now: Int64) -> Int64? {
        giveUpProbes(until: now)
        beginTrial(now: now)
        let probe = probes.first.map { $0.deadline - now }
        while oldestSerial <= lastSerial {
            if let submission = submissions[oldestSerial] {
                let left = submission.deadline - now
                guard left <= 0 else { return min(left, probe ?? left) }
                giveUp(submission)
            }
            oldestSerial += 1
        }
        return probe
    }

    mutating func giveUpProbes(until now: Int64) {
        while let probe = probes.first, probe.deadline <= now {
            probes.removeFirst()
            if let submission = submissions[probe.serial] {
                finish(submission, .readiness(false, degraded: degraded([])))
            }
        }
    }

    private mutating func giveUp(_ submission: Submission) {
        var answer = Answer.refused(.unavailable, in: submission.head.route.dialect)
        answer.outcomes = .all(.discarded(.unavailable), count: max(submission.eventCount, 1))
        finish(submission, answer)
    }

    mutating func complete(_ submission: Submission) {
        if submission.head.route.dialect == .sentry {
            return finish(
                submission,
                .sentry(submission.events, submission.envelope, derivedID: submission.head.requestID))
        }
        if submission.head.route == .bulk { return finish(submission, .bulk(submission.events)) }
        switch submission.events.first {
        case .accepted(let id): finish(submission, .accepted(id))
        case .refused(let refusal): refuse(submission, refusal)
        case .pending, nil: refuse(submission, .unavailable)
        }
    }

    mutating func refuse(_ submission: Submission, _ refusal: Refusal) {
        finish(submission, .refused(refusal, in: submission.head.route.dialect))
    }

    mutating func finish(_ submission: Submission, _ answer: Answer) {
        var answer = answer
        // nginx's question about a key carries no event.
        if submission.head.route == .key { answer.outcomes = .none }
        answer.quota = submission.quota
        answer.route = submission.head.route.label
        switch answer.status {
        case 429: answer.retryAfter = max(submission.retryAfter, submission.quota?.reset ?? 1)
        // Some Sentry SDKs stop sending everything for this long.
        case 503: answer.retryAfter = answer.dialect == .sentry ? 1 : max(submission.retryAfter, 1)
        default: break
        }
        remove(submission)
        commands.append(.answer(token: submission.token, answer))
    }

    private mutating func handOn(_ submission: Submission) {
        remove(submission)
        commands.append(.handOn(token: submission.token, submission.head.route.dialect))
    }

    private mutating func admit(_ submission: Submission) {
        submissions[submission.serial] = submission
        bytesInHand += submission.bytes
    }

    private mutating func remove(_ submission: Submission) {
        guard submissions.removeValue(forKey: submission.serial) != nil else { return }
        bytesInHand -= submission.bytes
        submission.release()
    }

    func isInHand(_ submission: Submission) -> Bool {
        submissions[submission.serial] != nil
    }
}
