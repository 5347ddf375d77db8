internal import Glibc
internal import Notation

/// One line of input that should be an event: an object, as far as can be told without the server.
enum EventLine {
    /// The most bytes of an event, by the contract.
    static let limit = 1 << 20

    /// Why a line is not sent.
    enum Fault: Error, CustomStringConvertible {
        case tooLong
        case notUTF8
        case notAnObject

        var description: String {
            switch self {
            case .tooLong: "longer than \(EventLine.limit) bytes"
            case .notUTF8: "not UTF-8"
            case .notAnObject: "not a JSON object"
            }
        }
    }

    /// The event to send: the line, with an `event_id` added if it has none, so that a retry is harmless.
    static func event(of line: some Collection<UInt8>) throws(Fault) -> [UInt8] {
        guard line.count <= limit else { throw .tooLong }
        guard String(validating: line, as: UTF8.self) != nil else { throw .notUTF8 }
        let text = Array(line)
        guard let start = text.firstIndex(where: { !isSpace($0) }), let members = members(of: text[start...]) else {
            throw .notAnObject
        }
        if members.hasIdentifier { return text }
        let identifier = UInt128.random(in: .min ... .max).hexDigits
        let member = "\"event_id\":\"\(identifier)\"" + (members.isEmpty ? "" : ",")
        return text[...start] + Array(member.utf8) + text[(start + 1)...]
    }

    /// Whether the object that is all of `text` has an `event_id`, and whether it has nothing; nil when the brackets and
    /// strings are none of an object. What stands in it is for the server to judge.
    private static func members(of text: ArraySlice<UInt8>) -> (hasIdentifier: Bool, isEmpty: Bool)? {
        guard text.first == UInt8(ascii: "{") else { return nil }
        var open: [UInt8] = []
        var position = text.startIndex
        var hasIdentifier = false
        var isEmpty = true
        while position < text.endIndex {
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                if position > text.startIndex { isEmpty = false }
                open.append(byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard open.popLast() == byte else { return nil }
                if open.isEmpty {
                    return text[(position + 1)...].allSatisfy(isSpace) ? (hasIdentifier, isEmpty) : nil
                }
            case UInt8(ascii: "\""):
                isEmpty = false
                guard let end = endOfString(text, from: position + 1) else { return nil }
                if open.count == 1, text[(position + 1)..<end].elementsEqual("event_id".utf8),
                    text[(end + 1)...].first(where: { !isSpace($0) }) == UInt8(ascii: ":")
                {
                    hasIdentifier = true
                }
                position = end
            default:
                if !isSpace(byte) { isEmpty = false }
            }
            position += 1
        }
        return nil
    }

    /// Where the quotation mark is that ends a string.
    private static func endOfString(_ text: ArraySlice<UInt8>, from start: Int) -> Int? {
        var position = start
        while position < text.endIndex {
            if text[position] == UInt8(ascii: "\"") { return position }
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A
    }
}
