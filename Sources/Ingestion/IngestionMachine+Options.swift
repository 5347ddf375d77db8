extension IngestionMachine {
    /// What an operator decides.
    package struct Options: Sendable {
        /// The most events in one bulk request.
        package var bulkEvents = 1_000
        /// Whether events of Sentry's programs that leave their user's address open get that of their sender.
        package var takesSenderAddress = false
        /// How bodies of many projects share this process; nil where all are of one.
        package var share: ProcessorShare?
        /// Whether a body that turns out to be large, or to take long, is handed on.
        package var handsOnLarge = false
        /// The thread's processor time in nanoseconds; without it nothing is bound to take little.
        package var processorTime: @Sendable () -> Int64 = { 0 }
        /// After so many nanoseconds without a result a request is answered with 503.
        package var patience: Int64 = 10_000_000_000
        /// The same for a question whether events can be taken.
        package var probePatience: Int64 = 1_000_000_000
        package init() {}

        /// Nanoseconds in which a worker for small events finds out that a body is not for it.
        private static let handingOnAfter: Int64 = 4_000_000

        var decoderBounds: Decoder.Bounds {
            var bounds = Decoder.Bounds()
            bounds.processorTime = processorTime
            if handsOnLarge {
                bounds.largest = Limits.smallBytes
                bounds.ceiling = Self.handingOnAfter
            }
            return bounds
        }
    }
}
