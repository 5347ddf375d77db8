/// A parser that strangers feed, or a process that was taken over.
enum FuzzTarget: String, CaseIterable {
    /// Events and bulks of our own routes.
    case event
    /// Events of Sentry's SDKs, user reports and security reports.
    case sentry
    /// Requests of every route, such as envelopes, as they pass through the machine.
    case request
    /// Compressed bodies.
    case decoder
    /// WebSocket's handshakes and frames.
    case websocket
    /// Slots, suspects and sessions, as the watchdog reads them.
    case scoreboard
    /// Segments of the spool.
    case spool
    /// Frames between edges and storage, as either end reads them.
    case frames

    /// What damaged inputs are made from.
    var seeds: [[UInt8]] {
        switch self {
        case .event: EventFuzzing.seeds
        case .sentry: SentryFuzzing.seeds
        case .request: RequestFuzzing.seeds
        case .decoder: DecoderFuzzing.seeds
        case .websocket: WebSocketFuzzing.seeds
        case .scoreboard: ScoreboardFuzzing.seeds
        case .spool: SpoolFuzzing.seeds
        case .frames: FrameFuzzing.seeds
        }
    }

    /// Something that takes one input after another. It stops the process when the parser breaks a promise.
    func makeConsumer() -> ([UInt8]) -> Void {
        switch self {
        case .event: EventFuzzing.makeConsumer()
        case .sentry: SentryFuzzing.makeConsumer()
        case .request: RequestFuzzing.makeConsumer()
        case .decoder: DecoderFuzzing.makeConsumer()
        case .websocket: WebSocketFuzzing.consume
        case .scoreboard: ScoreboardFuzzing.makeConsumer()
        case .spool: SpoolFuzzing.makeConsumer()
        case .frames: FrameFuzzing.makeConsumer()
        }
    }
}
