/// A `GET /healthz` by the FastCGI protocol (version 1, responder role): written by hand, since the watchdog must work when
/// libfcgi does not.
enum FastCGIProbe {
    /// Types of records.
    private enum Record {
        static let beginRequest: UInt8 = 1
        static let parameters: UInt8 = 4
        static let standardInput: UInt8 = 5
        static let standardOutput: UInt8 = 6
    }

    private static let headerSize = 8

    static func request() -> [UInt8] {
        let responder: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0]
        var parameters: [UInt8] = []
        for (name, value) in [("REQUEST_METHOD", "GET"), ("DOCUMENT_URI", "/healthz"), ("CONTENT_LENGTH", "0")] {
            parameters += [UInt8(name.utf8.count), UInt8(value.utf8.count)] + Array(name.utf8) + Array(value.utf8)
        }
        return record(Record.beginRequest, responder) + record(Record.parameters, parameters)
            + record(Record.parameters, []) + record(Record.standardInput, [])
    }

    private static func record(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        [1, type, 0, 1, UInt8(content.count >> 8), UInt8(content.count & 0xff), 0, 0] + content
    }

    /// Whether the standard output in these records is a CGI response with status 200, RFC 3875.
    static func isGood(_ records: [UInt8]) -> Bool {
        var output: [UInt8] = []
        var rest = records[...]
        while rest.count >= headerSize {
            let header = Array(rest.prefix(headerSize))
            let length = Int(header[4]) << 8 | Int(header[5])
            let content = rest.dropFirst(headerSize)
            guard content.count >= length + Int(header[6]) else { return false }
            if header[1] == Record.standardOutput { output += content.prefix(length) }
            rest = content.dropFirst(length + Int(header[6]))
        }
        return rest.isEmpty && output.starts(with: "Status: 200".utf8)
    }
}
