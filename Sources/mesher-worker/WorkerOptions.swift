internal import Ingestion
internal import Redis

extension Worker {
    struct Options {
        let storageSocket: String
        let redis: RedisServer
        let redisPrefix: String
        let ingestion: IngestionMachine.Options
        /// The most requests in hand; further ones wait in the sockets.
        let requestsInHand: Int
        /// The most bytes in hand.
        let bytesInHand: Int
        /// Nanoseconds of rest after a body, for each byte, as decoded, above 256 KiB.
        let restPerByte: Int64
    }
}
