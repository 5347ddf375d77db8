internal import CRedis
internal import Configuration
internal import Glibc
package import TLS

/// Why Redis did not do what it was asked: hiredis's own message, or the server's.
package struct RedisError: Error, CustomStringConvertible {
    package let operation: StaticString
    package let message: String
    /// Set when it was about TLS.
    package let tlsFault: TLSFault?

    package init(operation: StaticString, message: String) {
        self.operation = operation
        self.message = message
        tlsFault = nil
    }

    init(_ fault: TLSFault) {
        operation = "TLS"
        message = "\(fault)"
        tlsFault = fault
    }

    /// What failed at a server that was asked for another.
    init(_ operation: StaticString, _ server: ServerAddress, _ error: RedisError) {
        self.operation = operation
        message = "\(server): \(error)"
        tlsFault = error.tlsFault
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
    /// Then hiredis connects and reads replies, and neither sends nor receives: the one in Debian 12 has no TLS.
    private var tls: TLSStream?

    private init(adopting context: UnsafeMutablePointer<redisContext>) {
        self.context = context
    }

    deinit {
        redisFree(context)
    }

    /// Begins to connect. The corresponding hiredis functions are `redisConnectUnixNonBlock` and `redisConnectNonBlock`.
    ///
    /// - Parameter tls: for an encrypted connection, if the address is not a socket in the file system.
    package static func open(
        _ address: RedisServer.Address, tls: TLSContext? = nil
    ) throws(RedisError) -> RedisConnection {
        let context =
            switch address {
            case .unix(let path): redisConnectUnixNonBlock(path)
            case .tcp(let host, let port): redisConnectNonBlock(host, CInt(port))
            }
        guard let context else { throw RedisError(operation: "connect", message: "out of memory") }
        var connection = RedisConnection(adopting: context)
        guard context.pointee.err == 0 else { throw connection.failure("connect") }
        if let tls, let name = address.certifiedName {
            connection.tls = try Self.naming { () throws(TLSFault) in
                try TLSStream(tls, descriptor: context.pointee.fd, name: name)
            }
        }
        return connection
    }

    private static func naming<Value>(_ body: () throws(TLSFault) -> Value) throws(RedisError) -> Value {
        do throws(TLSFault) {
            return try body()
        } catch {
            throw RedisError(error)
        }
    }

    /// Whether TLS is still being agreed on.
    package var isHandshaking: Bool { tls?.isEstablished == false }

    /// The socket to wait on.
    package var number: CInt { context.pointee.fd }

    /// Appends one command to what the next `flush` sends. The corresponding hiredis functions are
    /// `redisAppendCommandArgv` and, for TLS, `redisFormatCommandArgv`.
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
            guard let tls else { return redisAppendCommandArgv(context, CInt(arguments.count), &pointers, lengths) }
            var command: UnsafeMutablePointer<CChar>?
            let count = Int(redisFormatCommandArgv(&command, CInt(arguments.count), &pointers, lengths))
            guard count >= 0, let command else { return REDIS_ERR }
            defer { redisFreeCommand(command) }
            tls.append(UnsafeRawBufferPointer(start: command, count: count))
            return REDIS_OK
        }
        guard status == REDIS_OK else { throw failure("append") }
    }

    /// Sends as much as the socket accepts. The corresponding hiredis function is `redisBufferWrite`.
    ///
    /// - Returns: false when to call again once the socket is writable. Call it after `receive`, too, which is what TLS may
    ///   have waited for.
    package func flush() throws(RedisError) -> Bool {
        if let tls { return try Self.naming { () throws(TLSFault) in try tls.flush() } }
        var isDone: CInt = 0
        guard redisBufferWrite(context, &isDone) == REDIS_OK else { throw failure("write") }
        return isDone != 0
    }

    /// Reads what has come. The corresponding hiredis functions are `redisBufferRead` and, for TLS, `redisReaderFeed`.
    package func receive() throws(RedisError) {
        guard let tls else {
            guard redisBufferRead(context) == REDIS_OK else { throw failure("read") }
            return
        }
        var status = REDIS_OK
        try Self.naming { () throws(TLSFault) in
            try tls.receive { bytes in
                let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                if status == REDIS_OK { status = redisReaderFeed(context.pointee.reader, start, bytes.count) }
            }
        }
        guard status == REDIS_OK else { throw RedisError(operation: "read", message: "out of memory") }
    }

    /// The next whole reply among what was received, nil when there is none. The corresponding hiredis function is
    /// `redisGetReplyFromReader`.
    package func nextReply() throws(RedisError) -> RedisReply? {
        var raw: UnsafeMutableRawPointer?
        guard redisGetReplyFromReader(context, &raw) == REDIS_OK else { throw replyFailure() }
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

    /// The first byte of an alert of TLS, RFC 8446, is no reply of Redis.
    private func replyFailure() -> RedisError {
        let error = failure("reply")
        guard tls == nil, error.message.contains("\"\\x15\"") else { return error }
        return RedisError(
            operation: "reply", message: "the server speaks TLS on this port, and MESHER_REDIS_TLS is off")
    }

    private func failure(_ operation: StaticString) -> RedisError {
        let message = withUnsafeBytes(of: context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(operation: operation, message: message)
    }
}
