internal import Deflate

/// The agreed compression of messages: permessage-deflate, RFC 7692, each message by itself. (Context takeover would
/// cost 300 kB per connection.)
package struct MessageCompression: Equatable, Sendable {
    /// How far back our blocks may point, 2^8 to 2^15 bytes. The peer's may use the whole 2^15.
    package let windowBits: Int32
    /// Whether the answer must repeat `windowBits`, since the peer asked for it.
    let namesWindow: Bool

    init(windowBits: Int32 = 15, namesWindow: Bool = false) {
        self.windowBits = windowBits
        self.namesWindow = namesWindow
    }

    private static let base: StaticString = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// A client's offer, which includes keeping to a window that the server asks for.
    static var offer: String { "\(base); client_max_window_bits" }

    /// A server's answer, section 7.1. It may ask for either, even if the client did not offer it.
    var answer: String {
        namesWindow ? "\(Self.base); server_max_window_bits=\(windowBits)" : "\(Self.base)"
    }

    /// Compresses a message, without the last four bytes, which the receiver appends. False if it cannot.
    func compress(_ message: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) -> Bool {
        var pieces = ByteBuffer()
        let isDone = Deflater.deflate(message, windowBits: windowBits) { pieces.append($0) }
        pieces.dropLast(4)
        swap(&pieces, &buffer)
        return isDone
    }
}

extension MessageCompression {
    /// The first of a client's offers that can be kept to; nil when there is none, or one breaks the grammar that
    /// `isSound` then tells of.
    ///
    /// An offer with a parameter that is unknown, has a wrong value or occurs twice is declined (section 7), and so is one
    /// that wants a window of 2^8 bytes, which zlib cannot keep to.
    static func accepted(among offers: inout HeaderElements) -> MessageCompression? {
        var accepted: MessageCompression?
        while let name = offers.nextToken() {
            var offer = Offer(isDeflate: name.equalsIgnoringCase("permessage-deflate"))
            while let parameter = offers.nextParameter() { offer.take(parameter) }
            if accepted == nil { accepted = offer.compression }
        }
        return accepted
    }

    /// A client's check of a server's answer: each parameter at most once, and both sides without context takeover.
    static func agreed(in answer: inout HeaderElements) -> MessageCompression? {
        guard let name = answer.nextToken() else { return nil }
        var offer = Offer(isDeflate: name.equalsIgnoringCase("permessage-deflate"))
        while let parameter = answer.nextParameter() { offer.take(parameter) }
        // The parameter is without a value in an offer alone (section 7.1.2.2).
        guard answer.nextToken() == nil, answer.isSound, offer.isDeflate, offer.isAcceptable, offer.serverForgets,
            offer.limitsClientWindow == (offer.clientWindow != nil)
        else { return nil }
        // zlib cannot keep to a window of 2^8 bytes: then nothing is compressed, which is always allowed.
        return MessageCompression(windowBits: offer.clientWindow ?? 15)
    }

    /// One extension with its parameters.
    private struct Offer {
        var isDeflate: Bool
        var isAcceptable = true
        var serverForgets = false
        var clientForgets = false
        var limitsClientWindow = false
        var clientWindow: Int32?
        var serverWindow: Int32?

        var compression: MessageCompression? {
            guard isDeflate, isAcceptable, serverWindow != 8 else { return nil }
            return MessageCompression(windowBits: serverWindow ?? 15, namesWindow: serverWindow != nil)
        }

        mutating func take(_ parameter: HeaderElements.Parameter) {
            let name = parameter.name
            if name.equalsIgnoringCase("server_no_context_takeover") {
                Self.note(&serverForgets, &isAcceptable, parameter.value == nil)
            } else if name.equalsIgnoringCase("client_no_context_takeover") {
                Self.note(&clientForgets, &isAcceptable, parameter.value == nil)
            } else if name.equalsIgnoringCase("client_max_window_bits") {
                clientWindow = parameter.value.flatMap(Self.windowBits)
                Self.note(&limitsClientWindow, &isAcceptable, clientWindow != nil || parameter.value == nil)
            } else if name.equalsIgnoringCase("server_max_window_bits"), serverWindow == nil {
                serverWindow = parameter.value.flatMap(Self.windowBits)
                isAcceptable = isAcceptable && serverWindow != nil
            } else {
                isAcceptable = false
            }
        }

        /// Records a parameter, which may occur once.
        private static func note(_ flag: inout Bool, _ isAcceptable: inout Bool, _ isSound: Bool) {
            isAcceptable = isAcceptable && !flag && isSound
            flag = true
        }

        /// 8 to 15, without a leading zero.
        private static func windowBits(_ value: UnsafeRawBufferPointer) -> Int32? {
            if value.count == 1, value[0] == UInt8(ascii: "8") || value[0] == UInt8(ascii: "9") {
                return Int32(value[0] &- 0x30)
            }
            guard value.count == 2, value[0] == UInt8(ascii: "1"), (0x30...0x35).contains(value[1]) else { return nil }
            return 10 + Int32(value[1] &- 0x30)
        }
    }
}
