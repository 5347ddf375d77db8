internal import CRedis
internal import Glibc

/// Why Redis did not do what it was asked: hiredis's own message, or the server's.
package struct RedisError: Error, CustomStringConvertible {
    package let operation: StaticString
    package let message: String

    package init(operation: StaticString, message: String) {
        self.operation = operation
        self.message = message
    }

    package var description: String { "\(operation): \(message)" }
}

/// One answer of Redis.
package enum RedisReply: Equatable, Sendable {
    case status(String)
    case error(String)
    case integer(Int64)
    case text(String)
    case integers([Int64])
    /// An array of texts, of which there is one at least.
    case texts([String])
    /// Nil, or an array that holds anything else.
    case other
}

/// A connection to Redis that never blocks: commands are appended and sent together, replies come in their order. Only
/// a host name's lookup may block, getaddrinfo(3). The corresponding hiredis type is `redisContext`.
package struct RedisConnection: ~Copyable {
    private let context: UnsafeMutablePointer<redisContext>

    private init(adopting context: UnsafeMutablePointer<redisContext>) {
        self.context = context
    }

    deinit {
        redisFree(context)
    }

    /// Begins to connect. The corresponding hiredis functions are `redisConnectUnixNonBlock` and `redisConnectNonBlock`.
    package static func open(_ address: RedisServer.Address) throws(RedisError) -> RedisConnection {
        let context =
            switch address {
            case .unix(let path): redisConnectUnixNonBlock(path)
            case .tcp(let host, let port): redisConnectNonBlock(host, CInt(port))
            }
        guard let context else { throw RedisError(operation: "connect", message: "out of memory") }
        let connection = RedisConnection(adopting: context)
        guard context.pointee.err == 0 else { throw connection.failure("connect") }
        return connection
    }

    /// The socket to wait on.
    package var number: CInt { context.pointee.fd }

    /// Appends one command to what the next `flush` sends. The corresponding hiredis function is
    /// `redisAppendCommandArgv`.
    package func append(_ arguments: [[UInt8]]) throws(RedisError) {
        let lengths = arguments.map(\.count)
        let joined = arguments.flatMap { $0 }
        let status = joined.withUnsafeBytes { bytes in
            var offset = 0
            var pointers: [UnsafePointer<CChar>?] = []
            for length in lengths {
                // An empty argument may have no address; its length of 0 means that nothing is read.
                pointers.append(bytes.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) })
                offset += length
            }
            return redisAppendCommandArgv(context, CInt(arguments.count), &pointers, lengths)
        }
        guard status == REDIS_OK else { throw failure("append") }
    }

    /// Sends as much as the socket accepts.
    ///
    /// - Returns: whether all was sent; if not, call again when the socket is writable. The corresponding hiredis function
    ///   is `redisBufferWrite`.
    package func flush() throws(RedisError) -> Bool {
        var isDone: CInt = 0
        guard redisBufferWrite(context, &isDone) == REDIS_OK else { throw failure("write") }
        return isDone != 0
    }

    /// Reads what has come. The corresponding hiredis function is `redisBufferRead`.
    package func receive() throws(RedisError) {
        guard redisBufferRead(context) == REDIS_OK else { throw failure("read") }
    }

    /// The next whole reply among what was received, nil when there is none. The corresponding hiredis function is
    /// `redisGetReplyFromReader`.
    package func nextReply() throws(RedisError) -> RedisReply? {
        var raw: UnsafeMutableRawPointer?
        guard redisGetReplyFromReader(context, &raw) == REDIS_OK else { throw failure("reply") }
        guard let raw else { return nil }
        defer { freeReplyObject(raw) }
        return Self.reply(raw.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private static func reply(_ reply: redisReply) -> RedisReply {
        switch reply.type {
        case REDIS_REPLY_STATUS: return .status(text(reply))
        case REDIS_REPLY_ERROR: return .error(text(reply))
        case REDIS_REPLY_STRING: return .text(text(reply))
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_ARRAY:
            let elements = (0..<Int(reply.elements)).compactMap { reply.element?[$0]?.pointee }
            if elements.allSatisfy({ $0.type == REDIS_REPLY_INTEGER }) { return .integers(elements.map(\.integer)) }
            return elements.allSatisfy { $0.type == REDIS_REPLY_STRING } ? .texts(elements.map(text)) : .other
        default: return .other
        }
    }

    private static func text(_ reply: redisReply) -> String {
        guard let start = reply.str else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: Int(reply.len)), as: UTF8.self)
    }

    private func failure(_ operation: StaticString) -> RedisError {
        let message = withUnsafeBytes(of: context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(operation: operation, message: message)
    }
}
