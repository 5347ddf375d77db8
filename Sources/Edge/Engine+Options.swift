package import Redis

extension Engine {
    package struct Options {
        package let storageSocket: String
        /// The most bytes that storage may leave unread.
        package let pendingLimit: Int
        package let redis: RedisServer
        package let redisPrefix: String
        package let redisUse: RedisUse

        package init(
            storageSocket: String, pendingLimit: Int, redis: RedisServer, redisPrefix: String, redisUse: RedisUse
        ) {
            self.storageSocket = storageSocket
            self.pendingLimit = pendingLimit
            self.redis = redis
            self.redisPrefix = redisPrefix
            self.redisUse = redisUse
        }
    }
}
