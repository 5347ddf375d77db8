/// Whether bytes are the records of one FastCGI request as nginx sends it: FCGI_BEGIN_REQUEST, FCGI_PARAMS to an empty one,
/// FCGI_STDIN to an empty one, and nothing else. A pure value that takes them as they come.
///
/// libfcgi accepts more, and is vulnerable: it adds two lengths of a parameter unchecked (CVE-2025-23016), ends the
/// process when it gets no memory for an announced gigabyte, and writes answers of any size to management records into
/// 64 bytes.
struct RecordCheck {
    /// nginx sends all parameters in one record, and refuses a request whose parameters do not fit.
    static let parameterLimit = 65_535

    private static let headerSize = 8
    private static let beginRequest: UInt64 = 1
    private static let parameters: UInt64 = 4
    private static let standardInput: UInt64 = 5

    private enum Phase {
        case beginning, parameters, input, ended
    }

    private var phase = Phase.beginning
    /// The header that is being read, and how many of its bytes have arrived.
    private var header: UInt64 = 0
    private var headerBytes = 0
    private var request: UInt64 = 0
    /// What is left of a record's content, and of the padding behind it.
    private var content = 0
    private var padding = 0
    private var hasParameters = false

    /// All content of the parameters' records.
    private var parameterBytes = 0
    /// A length that is being read, and how many bytes of it are to come.
    private var length = 0
    private var lengthBytes = 0
    /// The length of a name, once it is known and that of its value is not.
    private var name: Int?
    /// What is left of a name and its value.
    private var text = 0

    /// Whether the request has come to its end.
    var isWhole: Bool { phase == .ended }

    /// Whether nginx may have sent these bytes next; if not, no more may be passed.
    mutating func accept(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place < bytes.count {
            if content > 0 {
                let count = min(content, bytes.count - place)
                if hasParameters, !acceptParameters(bytes[place..<place + count]) { return false }
                content -= count
                place += count
            } else if padding > 0 {
                let count = min(padding, bytes.count - place)
                padding -= count
                place += count
            } else {
                guard phase != .ended else { return false }
                header = header << 8 | UInt64(bytes[place])
                headerBytes += 1
                place += 1
                guard headerBytes == Self.headerSize else { continue }
                headerBytes = 0
                guard beginRecord() else { return false }
            }
        }
        return true
    }

    private mutating func beginRecord() -> Bool {
        let version = header >> 56
        let type = header >> 48 & 0xff
        let id = header >> 32 & 0xffff
        content = Int(header >> 16 & 0xffff)
        padding = Int(header >> 8 & 0xff)
        hasParameters = false
        // Number 0 is that of management records.
        guard version == 1, id != 0, phase == .beginning || id == request else { return false }
        switch (phase, type) {
        case (.beginning, Self.beginRequest):
            request = id
            phase = .parameters
            return content == 8
        case (.parameters, Self.parameters):
            hasParameters = true
            parameterBytes += content
            if content == 0 { phase = .input }
            return content > 0 ? parameterBytes <= Self.parameterLimit : text == 0 && lengthBytes == 0 && name == nil
        case (.input, Self.standardInput):
            if content == 0 { phase = .ended }
            return true
        default: return false
        }
    }

    private mutating func acceptParameters(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        var place = bytes.startIndex
        while place < bytes.endIndex {
            if text > 0 {
                let count = min(text, bytes.endIndex - place)
                text -= count
                place += count
                continue
            }
            let byte = Int(bytes[place])
            place += 1
            if lengthBytes > 0 {
                length = length << 8 | byte
                lengthBytes -= 1
            } else if byte & 0x80 != 0 {
                length = byte & 0x7f
                lengthBytes = 3
            } else {
                length = byte
            }
            guard lengthBytes == 0 else { continue }
            guard length <= Self.parameterLimit else { return false }
            if let name {
                text = name + length
                self.name = nil
            } else {
                name = length
            }
        }
        return true
    }
}
